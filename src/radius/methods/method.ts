/**
 * How a credential travels in an Access-Request. Each that this door can check has a file beside this one; the others are
 * known by name, so that the event says what the NAS tried.
 */

/** What an Access-Request carries. `start` and `end` are where its value is in the packet. */
export type Carried =
  | { readonly kind: 'pap'; readonly start: number; readonly end: number }
  | { readonly kind: 'chap' | 'mschapv1' | 'mschapv2' | 'eap' }
  | { readonly kind: 'none' }
  /** Two kinds, or one kind twice [RFC 2865 §4.1]. */
  | { readonly kind: 'several' };

/** The kinds of credential that the wire can carry. */
export type CarriedMethod = 'pap' | 'chap' | 'mschapv1' | 'mschapv2' | 'eap';
