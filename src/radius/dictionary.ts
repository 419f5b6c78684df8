/**
 * Attribute names, types and values from dictionaries in FreeRADIUS format: those of the RFCs come with the `radius` package,
 * vendors' with us in config/dictionary. The package reads them and encodes values by name. It does neither while anybody waits,
 * and it never judges a packet.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import radius from 'radius';

declare module 'radius' {
  export function load_dictionaries(): void;
  export function load_dictionary(file: string): void;
  export function vendor_name_to_id(name: string): string | undefined;
  /** A field of an attribute's entry by name: 0 id, 1 name, 2 type, 5 modifiers. */
  export function _attr_to(name: string, vendor: number, field: number): unknown;
}

/** An attribute as its dictionary describes it. */
export interface AttributeDefinition {
  readonly name: string;
  /** -1: none, the attribute is an RFC's. */
  readonly vendor: number;
  readonly type: number;
  /** `string`, `integer`, `ipaddr` … in the dictionary's words. */
  readonly valueType: string;
  /** It has a tag octet [RFC 2868]. */
  readonly tagged: boolean;
  /** Its value is hidden under the shared secret, so it cannot be encoded once for all clients. */
  readonly hidden: boolean;
}

export const NO_VENDOR = -1;
const FIELD = { id: 0, name: 1, type: 2, modifiers: 5 } as const;
const FOLDER = new URL('../../config/dictionary/', import.meta.url);
let vendors: readonly number[] | null = null;

/** Reads every dictionary, once. Throws where config/dictionary is missing: the installation is broken. */
export function loadDictionaries(): void {
  if (vendors !== null) return;
  radius.load_dictionaries();
  const found: number[] = [];
  for (const file of readdirSync(FOLDER).filter((name) => name.startsWith('dictionary.'))) {
    const path = new URL(file, FOLDER);
    radius.load_dictionary(fileURLToPath(path));
    for (const [, id] of readFileSync(path, 'utf8').matchAll(/^VENDOR\s+\S+\s+(\d+)/gm)) found.push(Number(id));
  }
  vendors = found;
}

/** The attribute with this name, spelt as in its dictionary, or null. */
export function findAttribute(name: string): AttributeDefinition | null {
  loadDictionaries();
  for (const vendor of [NO_VENDOR, ...(vendors ?? [])]) {
    // The package looks numbers up in the same table; only a name is a name.
    if (radius._attr_to(name, vendor, FIELD.name) !== name) continue;
    const modifiers = Object.keys(Object(radius._attr_to(name, vendor, FIELD.modifiers)));
    return {
      name,
      vendor,
      type: Number(radius._attr_to(name, vendor, FIELD.id)),
      valueType: String(radius._attr_to(name, vendor, FIELD.type)),
      tagged: modifiers.includes('has_tag'),
      hidden: modifiers.some((modifier) => modifier.startsWith('encrypt=')),
    };
  }
  return null;
}

/**
 * The attribute with this value as it goes over the wire, head included; null where the package cannot encode the value (an
 * integer out of range, a name that the dictionary does not list).
 */
export function encodeAttribute(
  definition: AttributeDefinition,
  value: string | number | Date | Buffer,
): Buffer | null {
  const attribute = [definition.name, value];
  try {
    const packet = radius.encode({
      code: 'Access-Accept',
      identifier: 0,
      secret: '',
      attributes: [definition.vendor === NO_VENDOR ? attribute : ['Vendor-Specific', definition.vendor, [attribute]]],
      add_message_authenticator: false,
    });
    return Buffer.from(packet.subarray(20));
  } catch {
    return null;
  }
}
