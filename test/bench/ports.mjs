/** Ports for servers that are started by this benchmark. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** So many ports of the loopback address that nobody has, over TCP or UDP. */
export async function freePorts(count) {
  const held = [];
  while (held.length < count) held.push(await holdPort());
  for (const { release } of held) await release();
  return held.map(({ port }) => port);
}

async function holdPort() {
  const tcp = createServer();
  await new Promise((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address();
  const udp = createSocket('udp4');
  const free = await new Promise((resolve) => {
    udp.once('error', () => resolve(false));
    udp.bind(port, '127.0.0.1', () => resolve(true));
  });
  const release = async () => {
    await new Promise((resolve) => tcp.close(resolve));
    await new Promise((resolve) => udp.close(resolve));
  };
  if (free) return { port, release };
  await release();
  return holdPort();
}
