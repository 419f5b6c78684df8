/**
 * Entity tags and the conditions on them (RFC 9110 §8.8.3, §13). A tag is `"<revision>.<hash of the representation>"`: the
 * revision is what a change must not overtake (If-Match looks at it alone, so that a token being used does not stop an edit), the
 * hash makes the tag strong, since a record also shows what is not its own (names of groups, when a token was used).
 */
import { createHash } from 'node:crypto';

const HASH_CHARACTERS = 11; // 66 bits: two representations of one revision do not meet by chance

/** The tag of a record as it is shown. */
export function entityTag(record: { readonly revision: number }): string {
  const hash = createHash('sha256').update(JSON.stringify(record)).digest('base64url').slice(0, HASH_CHARACTERS);
  return `"${record.revision}.${hash}"`;
}

/** A header's list of tags: `*`, or each tag with its weakness; null where it is not well-formed. */
function tagsOf(header: string): '*' | readonly { weak: boolean; opaque: string }[] | null {
  const text = header.trim();
  if (text === '*') return '*';
  const tags: { weak: boolean; opaque: string }[] = [];
  // RFC 9110 §8.8.3: etagc = %x21 / %x23-7E / obs-text; §5.6.1.2: empty list members are skipped.
  const member = /[ \t,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)/y;
  while (member.lastIndex < text.length) {
    const match = member.exec(text);
    if (match === null) return null;
    tags.push({ weak: match[1] !== undefined, opaque: match[2] ?? '' });
  }
  return tags.length === 0 ? null : tags;
}

/**
 * The revisions that If-Match lets pass: null where any does (no header, or `*`: that the record exists, which every change
 * needs anyway), none where the header is broken or has only foreign tags. Weak tags never match (§13.1.1).
 */
export function ifMatch(header: string | undefined): readonly number[] | null {
  if (header === undefined) return null;
  const tags = tagsOf(header);
  if (tags === '*') return null;
  return (tags ?? []).flatMap(({ weak, opaque }) => {
    const digits = /^"(\d{1,15})(?:\.[\w-]{1,64})?"$/.exec(opaque);
    return weak || digits === null ? [] : [Number(digits[1])];
  });
}

/** True where If-None-Match names what the reader already has (weak comparison, §13.1.2), so that 304 is the answer. */
export function alreadyHas(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const tags = tagsOf(header);
  if (tags === null) return false;
  return tags === '*' || tags.some(({ opaque }) => opaque === tag);
}
