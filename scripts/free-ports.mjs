/**
 * Makes every address that sallyport.yaml listens on one that this user can have: where a port is taken, or reserved for
 * root, the next free one is written into the file. Argument: the file. Prints NAME=value lines of where clients on this
 * machine find each door; says on stderr what was changed.
 */
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { parseDocument } from 'yaml';

/** From a port that only root may have to one that everybody may: 389 becomes 1389. */
const PAST_RESERVED = 1000;
const FIRST_UNRESERVED = 1024;
const PORT_MAX = 65_535;

const DOORS = [
  { path: ['radius', 'listen'], protocol: 'udp', fallback: ['0.0.0.0:1812'] },
  { path: ['radius', 'accounting'], protocol: 'udp', fallback: ['0.0.0.0:1813'] },
  { path: ['ldap', 'listen'], protocol: 'tcp', fallback: ['0.0.0.0:389'] },
  { path: ['ldap', 'ldaps'], protocol: 'tcp', fallback: [] },
  { path: ['http', 'listen'], protocol: 'tcp', fallback: '127.0.0.1:8080' },
];

const file = process.argv[2];
const document = parseDocument(readFileSync(file, 'utf8'));
const claimed = new Set();
let changed = false;

for (const { path, protocol, fallback } of DOORS) {
  const written = document.getIn(path);
  const value = written === undefined ? fallback : (written?.toJSON?.() ?? written);
  const texts = [value].flat();
  const free = [];
  for (const text of texts) free.push(await freeAddress(protocol, String(text)));
  if (free.every((text, i) => text === texts[i])) continue;
  for (const [i, text] of free.entries()) {
    if (text !== texts[i]) console.error(`${texts[i]} is not to be had here; ${path.join('.')} is now ${text}`);
    if (Array.isArray(value) && written !== undefined) document.setIn([...path, i], text);
  }
  if (!Array.isArray(value)) document.setIn(path, free[0]);
  else if (written === undefined) document.setIn(path, document.createNode(free));
  changed = true;
}
if (changed) writeFileSync(file, document.toString({ flowCollectionPadding: false, lineWidth: 0 }));

const first = (path, fallback) => [document.getIn(path)?.toJSON?.() ?? document.getIn(path) ?? fallback].flat()[0] ?? '';
console.log(`RADIUS_ADDRESS=${near(first(['radius', 'listen'], '0.0.0.0:1812'))}`);
console.log(`LDAP_ADDRESS=${near(first(['ldap', 'listen'], '0.0.0.0:389'))}`);
console.log(`HTTP_URL=${document.hasIn(['http', 'tls']) ? 'https' : 'http'}://${near(first(['http', 'listen'], '127.0.0.1:8080'))}`);

/** What a client on this machine says for an address that may mean "all of them". */
function near(text) {
  return text.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}

async function freeAddress(protocol, text) {
  const match = /^(.*):(\d+)$/.exec(text);
  // What is no address is for the daemon to refuse, with line and column.
  if (match === null) return text;
  const host = match[1].replace(/^\[|\]$/g, '');
  let port = Number(match[2]);
  while (port <= PORT_MAX) {
    const name = `${protocol}/${port}`;
    // Port 0 is any free one, as often as one likes.
    const problem = port !== 0 && claimed.has(name) ? 'EADDRINUSE' : await tryPort(protocol, host, port);
    if (problem !== 'EADDRINUSE' && problem !== 'EACCES') {
      claimed.add(name);
      return `${match[1]}:${port}`;
    }
    port += problem === 'EACCES' && port < FIRST_UNRESERVED ? PAST_RESERVED : 1;
  }
  return text;
}

/** Null where the port can be had, else the system's code. */
function tryPort(protocol, host, port) {
  return new Promise((resolve) => {
    if (protocol === 'udp') {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      socket.once('error', (error) => socket.close(() => resolve(error.code)));
      socket.bind(port, host, () => socket.close(() => resolve(null)));
      return;
    }
    const server = createServer();
    server.once('error', (error) => resolve(error.code));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}
