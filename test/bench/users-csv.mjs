/**
 * Writes the users that the load generators ask for, as `sallyport import --format csv` reads them. Arguments: the first
 * user's number, how many, the file. User n is bench<n>, seven digits, in the resource vpn, with the TOTP key
 * SHA-1("bench-seed-<n>").
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ROWS_A_WRITE = 10_000;

const [first, count, file] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
if (!Number.isInteger(first) || !Number.isInteger(count) || file === undefined) {
  console.error('usage: users-csv.mjs FIRST COUNT FILE');
  process.exit(2);
}

const out = openSync(file, 'w');
writeSync(out, 'login,resource,tokenType,tokenSecret\n');
for (let from = first; from < first + count; from += ROWS_A_WRITE) {
  let rows = '';
  for (let n = from; n < Math.min(from + ROWS_A_WRITE, first + count); n++) {
    rows += `bench${String(n).padStart(7, '0')},vpn,totp,${secretOf(n)}\n`;
  }
  writeSync(out, rows);
}
closeSync(out);

/** RFC 4648 §6. 160 bits are 32 characters without padding: five octets at a time are eight of them. */
function secretOf(n) {
  const key = createHash('sha1').update(`bench-seed-${n}`).digest();
  let text = '';
  for (let at = 0; at < key.length; at += 5) {
    const bits = BigInt(key.readUIntBE(at, 5));
    for (let shift = 35n; shift >= 0n; shift -= 5n) text += BASE32[Number((bits >> shift) & 31n)];
  }
  return text;
}
