/** LDAP responses on their way out (RFC 4511 §4). Lengths are the shortest, TRUE is never needed, strings are UTF-8. */
import { element, integerContent, signedWidth, TAG, textElement } from './ber.js';
import { RESPONSE } from './message.js';
import type { ResultCode } from './result-code.js';

/** One attribute of an entry, with the name that the client will see. */
export interface Attribute {
  readonly name: string;
  readonly values: readonly (string | Buffer)[];
}

const RESPONSE_NAME = 0x8a;
const RESPONSE_VALUE = 0x8b;
/** RFC 4511 §4.4.1. */
const NOTICE_OF_DISCONNECTION = '1.3.6.1.4.1.1466.20036';
/** A result without matchedDN and text, behind the code: two empty octet strings. */
const NO_TEXTS = 0x0400_0400;
const RESULT_OCTETS = 7;
const ID_HEADER_OCTETS = 2;
const RESULT_HEADER_OCTETS = 2;

/**
 * A response with nothing but `code`, for request `id`; `response` is the tag of RESPONSE. Most answers are this one, so it
 * is one allocation and no copies.
 */
export function encodeResult(id: number, response: number, code: ResultCode): Buffer {
  const idOctets = signedWidth(id);
  const length = ID_HEADER_OCTETS + idOctets + RESULT_HEADER_OCTETS + RESULT_OCTETS;
  const out = Buffer.allocUnsafe(2 + length);
  let at = out.writeUInt8(TAG.sequence, 0);
  at = out.writeUInt8(length, at);
  at = out.writeUInt8(TAG.integer, at);
  at = out.writeUInt8(idOctets, at);
  at = out.writeIntBE(id, at, idOctets);
  at = out.writeUInt8(response, at);
  at = out.writeUInt8(RESULT_OCTETS, at);
  at = out.writeUInt8(TAG.enumerated, at);
  at = out.writeUInt8(1, at);
  at = out.writeUInt8(code, at);
  out.writeUInt32BE(NO_TEXTS, at);
  return out;
}

/** An extended response (RFC 4511 §4.12); `name` and `value` are left out where null. */
export function encodeExtended(id: number, code: ResultCode, name: string | null, value: Buffer | null): Buffer {
  const parts = [element(TAG.enumerated, integerContent(code)), element(TAG.octetString), element(TAG.octetString)];
  if (name !== null) parts.push(textElement(RESPONSE_NAME, name));
  if (value !== null) parts.push(element(RESPONSE_VALUE, value));
  return encodeMessage(id, element(RESPONSE.extended, ...parts));
}

/** The notice of disconnection (LDAP-6): it has the id 0 and is the last that a client hears. */
export const encodeNotice = (code: ResultCode): Buffer => encodeExtended(0, code, NOTICE_OF_DISCONNECTION, null);

/** One entry that a search found (RFC 4511 §4.5.2). */
export function encodeEntry(id: number, dn: string, attributes: readonly Attribute[]): Buffer {
  const list = attributes.map((attribute) => {
    const values = attribute.values.map((value) =>
      typeof value === 'string' ? textElement(TAG.octetString, value) : element(TAG.octetString, value),
    );
    return element(TAG.sequence, textElement(TAG.octetString, attribute.name), element(TAG.set, ...values));
  });
  return encodeMessage(
    id,
    element(RESPONSE.searchEntry, textElement(TAG.octetString, dn), element(TAG.sequence, ...list)),
  );
}

function encodeMessage(id: number, operation: Buffer): Buffer {
  return element(TAG.sequence, element(TAG.integer, integerContent(id)), operation);
}
