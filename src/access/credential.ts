/**
 * Credential forms: what one field holds. Where the OTP ends and the password begins depends on the digits of the user's tokens,
 * so every split that they allow is offered; the OTP match, which is pure, chooses, and the first factor is asked once.
 */
import { normaliseCode } from '../otp/code.js';
import type { CredentialForm, ResourceFacts, TokenFacts } from './ports.js';

/** One way to read a field. `code` holds digits alone, or is null where that part is no code. */
export interface Split {
  readonly password: string;
  readonly code: string | null;
}

/** RFC 4226 §5.3's least, for a user without a token. */
const DIGITS_WITHOUT_TOKEN = 6;
const SCRV1 = /^SCRV1:([A-Za-z0-9+/]*={0,2}):([A-Za-z0-9+/]*={0,2})$/;

type Policy = Pick<ResourceFacts, 'credentialForms' | 'separator'>;
type Digits = Pick<TokenFacts, 'digits'>;

/**
 * Every way to read `text` under `policy` for a user with `tokens`; never empty. The first is the one by which the password is
 * checked where no code matches: it goes by the first token's digits.
 */
export function splits(text: string, policy: Policy, tokens: readonly Digits[]): readonly [Split, ...Split[]] {
  const forms = policy.credentialForms;
  if (forms.length === 1 && forms[0] === 'otp') return [{ password: '', code: normaliseCode(text) }];
  const scrv1 = takesScrv1(forms) ? fromScrv1(text) : null;
  if (scrv1 !== null) return [scrv1];
  const found: Split[] = [];
  for (const digits of digitsOf(tokens)) {
    if (forms.includes('password+otp')) found.push(...codeLast(text, policy.separator, digits));
    if (forms.includes('otp+password')) found.push(...codeFirst(text, policy.separator, digits));
  }
  if (forms.includes('otp')) found.push({ password: '', code: normaliseCode(text) });
  const [first, ...rest] = found;
  // Nothing splits off (too short, or the separator is missing): what was typed is the password, and the code is missing.
  return first === undefined ? [{ password: text, code: null }] : [first, ...rest];
}

const takesScrv1 = (forms: readonly CredentialForm[]): boolean =>
  forms.includes('password+otp') || forms.includes('challenge');

/** OpenVPN's static challenge: `SCRV1:<base64 password>:<base64 OTP>`. */
function fromScrv1(text: string): Split | null {
  const [, password, code] = SCRV1.exec(text) ?? [];
  if (password === undefined || code === undefined) return null;
  const decode = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
  return { password: decode(password), code: normaliseCode(decode(code)) };
}

function digitsOf(tokens: readonly Digits[]): ReadonlySet<number> {
  return new Set(tokens.length === 0 ? [DIGITS_WITHOUT_TOKEN] : tokens.map((token) => token.digits));
}

function codeLast(text: string, separator: string, digits: number): readonly Split[] {
  const head = text.length - digits;
  if (head < separator.length || !text.slice(0, head).endsWith(separator)) return [];
  return [{ password: text.slice(0, head - separator.length), code: normaliseCode(text.slice(head)) }];
}

function codeFirst(text: string, separator: string, digits: number): readonly Split[] {
  if (text.length < digits + separator.length || !text.startsWith(separator, digits)) return [];
  return [{ password: text.slice(digits + separator.length), code: normaliseCode(text.slice(0, digits)) }];
}
