/** The master key: 32 octets in Base64, from SALLYPORT_MASTER_KEY or the file that `masterKeyFile` names. */
import { readFileSync, statSync } from 'node:fs';
import { Secret } from '../base/secret.js';

/** AES-256 and HKDF-SHA-256 are keyed with it. */
export const MASTER_KEY_OCTETS = 32;

/** A key file is 45 octets; one that is far larger is another file. */
const FILE_OCTETS_MAX = 4096;

export type MasterKeyResult =
  | { readonly ok: true; readonly key: Secret; readonly warning: string | null }
  | { readonly ok: false; readonly message: string };

/** Reads the key's text. The message never repeats it. */
export function parseMasterKey(text: string): MasterKeyResult {
  const trimmed = text.trim();
  const octets = /^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed) ? Buffer.from(trimmed, 'base64') : Buffer.alloc(0);
  if (octets.length === MASTER_KEY_OCTETS) return { ok: true, key: Secret.of(octets), warning: null };
  return {
    ok: false,
    message: `is not a master key: ${MASTER_KEY_OCTETS} octets in Base64, as "sallyport init" or "openssl rand -base64 32" makes them`,
  };
}

/** Reads the key's file; a warning where every user of the machine may read it. */
export function readMasterKey(file: string): MasterKeyResult {
  try {
    const { size, mode } = statSync(file);
    if (size > FILE_OCTETS_MAX) return { ok: false, message: `${file} is too large for a master key` };
    const parsed = parseMasterKey(readFileSync(file, 'utf8'));
    if (!parsed.ok) return { ok: false, message: `${file} ${parsed.message}` };
    const open = (mode & 0o007) !== 0;
    return {
      ...parsed,
      warning: open ? `${file} may be read by everyone on this machine; run: chmod 600 ${file}` : null,
    };
  } catch (error) {
    return { ok: false, message: unreadable(file, error) };
  }
}

/** Why a file cannot be read, in words. */
export function unreadable(file: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no file ${file}`;
  if (code === 'EACCES' || code === 'EPERM') return `${file} may not be read by this user`;
  if (code === 'EISDIR') return `${file} is a folder, not a file`;
  return `${file} cannot be read${code === '' ? '' : ` (${code})`}`;
}
