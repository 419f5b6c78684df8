/**
 * How a name becomes a user (product.md): as it was sent; else, where the client lists the domain, `CORP\alice` and
 * `alice@corp.example` mean alice. A name with `@` may itself be a login, so that is tried first.
 */
import { LIMITS } from './limits.js';

const LOGIN = /^[A-Za-z0-9_@~!#%+.$-]+$/;

/** True where `text` may be a login or alias: Latin letters, digits and `_ - @ ~ ! # % + . $`, 1 to 255 of them. */
export const isLogin = (text: string): boolean => text.length <= LIMITS.loginCharacters && LOGIN.test(text);

/** The form under which a login or alias is unique and found: logins are ASCII, so lower case is the same everywhere. */
export const nameKey = (login: string): string => login.toLowerCase();

/** The name keys that `sent` may mean, in the order in which they are tried; empty where it can name nobody. */
export function nameCandidates(sent: string, domains: readonly string[]): readonly string[] {
  const whole = isLogin(sent) ? nameKey(sent) : null;
  const bare = domains.length === 0 ? null : withoutDomain(sent, domains);
  if (bare === null) return whole === null ? [] : [whole];
  return whole === null ? [bare] : [whole, bare];
}

/** `sent` without the listed domain before its first `\` or behind its last `@`; null where it has none, or no login is left. */
function withoutDomain(sent: string, domains: readonly string[]): string | null {
  const backslash = sent.indexOf('\\');
  const at = sent.lastIndexOf('@');
  if (backslash === -1 && at === -1) return null;
  const domain = backslash === -1 ? sent.slice(at + 1) : sent.slice(0, backslash);
  const bare = backslash === -1 ? sent.slice(0, at) : sent.slice(backslash + 1);
  const listed = domains.some((each) => each.toLowerCase() === domain.toLowerCase());
  return listed && isLogin(bare) ? nameKey(bare) : null;
}

/** How a name that named nobody is stored: it may be a password typed in the wrong field. Its beginning, and how long it was. */
export function shortenedLogin(sent: string): string {
  const characters = [...sent];
  return `${characters.slice(0, LIMITS.unknownLoginShown).join('')}…(${characters.length})`;
}
