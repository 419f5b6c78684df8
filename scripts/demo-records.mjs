/**
 * Fills the demo records with fresh secrets. Arguments: the template, the records file to write, the note to write.
 * The note holds what was made up as NAME=value lines, for scripts/run and for whoever wants to sign in by hand.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** 160 bit, the recommendation of RFC 4226 §4 R6: 32 characters, without padding. */
const TOKEN_CHARACTERS = 32;
const RADIUS_SECRET_OCTETS = 24;
const PASSWORD_OCTETS = 12;

const tokenSecret = () => Array.from({ length: TOKEN_CHARACTERS }, () => BASE32[randomInt(BASE32.length)]).join('');

const secrets = {
  RADIUS_SECRET: randomBytes(RADIUS_SECRET_OCTETS).toString('hex'),
  ALICE_SECRET: tokenSecret(),
  BOB_SECRET: tokenSecret(),
  CAROL_SECRET: tokenSecret(),
  CAROL_PASSWORD: randomBytes(PASSWORD_OCTETS).toString('hex'),
};

const [template, records, note] = process.argv.slice(2);
const filled = readFileSync(template, 'utf8').replaceAll(/"@([A-Z_]+)@"/g, (_, name) => {
  if (!(name in secrets)) throw new Error(`the template asks for ${name}, which nobody makes`);
  return JSON.stringify(secrets[name]);
});
const body = filled.slice(filled.indexOf('\ngroups:') + 1);
writeFileSync(records, `# The demo records of this installation, from config/demo.yaml.\n${body}`, { mode: 0o600 });
const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
writeFileSync(note, `# The secrets of the demo records, made for this installation alone.\n${lines.join('')}`, { mode: 0o600 });
