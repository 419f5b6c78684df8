/** A code as people type it. */
const ZERO = 0x30;
const NINE = 0x39;

/** The digits of a code, without the spaces and dashes that apps show between them; null where anything but ASCII digits is left (OTP-10). */
export function normaliseCode(text: string): string | null {
  if (isDigits(text)) return text;
  const digits = text.replace(/[ -]/g, '');
  return isDigits(digits) ? digits : null;
}

function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < ZERO || unit > NINE) return false;
  }
  return text.length > 0;
}
