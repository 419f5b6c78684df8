/** LDAP requests as a client would write them, for tests. */
import { element, integerContent, TAG, textElement } from '../../src/ldap/ber.js';

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

export const ALICE = 'uid=alice,ou=users,dc=example,dc=org';

export const message = (id: number, operation: Buffer): Buffer =>
  element(TAG.sequence, element(TAG.integer, integerContent(id)), operation);

export const bind = (id: number, name: string, password: string | Buffer): Buffer =>
  message(
    id,
    element(
      0x60,
      element(TAG.integer, integerContent(3)),
      textElement(TAG.octetString, name),
      element(0x80, Buffer.from(password)),
    ),
  );

export const extended = (id: number, oid: string, value: string | null = null): Buffer =>
  message(id, element(0x77, textElement(0x80, oid), ...(value === null ? [] : [textElement(0x81, value)])));

export const whoAmI = (id: number): Buffer => extended(id, '1.3.6.1.4.1.4203.1.11.3');
export const startTls = (id: number): Buffer => extended(id, '1.3.6.1.4.1.1466.20037');
export const unbind = (id: number): Buffer => message(id, element(0x42));
export const abandon = (id: number, target: number): Buffer => message(id, element(0x50, integerContent(target)));

const PRESENT = textElement(0x87, 'objectClass');

export const search = (
  id: number,
  base: string,
  scope = 0,
  attributes: readonly string[] = [],
  filter: Buffer = PRESENT,
  typesOnly = false,
): Buffer =>
  message(
    id,
    element(
      0x63,
      textElement(TAG.octetString, base),
      element(TAG.enumerated, integerContent(scope)),
      element(TAG.enumerated, integerContent(0)),
      element(TAG.integer, integerContent(0)),
      element(TAG.integer, integerContent(0)),
      element(TAG.boolean, Buffer.from([typesOnly ? 0xff : 0])),
      filter,
      element(TAG.sequence, ...attributes.map((name) => textElement(TAG.octetString, name))),
    ),
  );

export const compare = (id: number, dn: string, attribute: string, value: string): Buffer =>
  message(
    id,
    element(
      0x6e,
      textElement(TAG.octetString, dn),
      element(TAG.sequence, textElement(TAG.octetString, attribute), textElement(TAG.octetString, value)),
    ),
  );

/** The notice of disconnection with `code` (protocol.md §4.5). */
export const notice = (code: string): Buffer =>
  hex(`3024 020100 781f 0a01${code} 0400 0400 8a16312e332e362e312e342e312e313436362e3230303336`);

/** A response of `tag` with nothing but a code, for ids below 128. */
export const result = (id: number, tag: number, code: number): Buffer =>
  Buffer.from([0x30, 0x0c, 0x02, 0x01, id, tag, 0x07, 0x0a, 0x01, code, 0x04, 0x00, 0x04, 0x00]);
