/**
 * otpauth URIs, as authenticator apps scan them (the Key URI format; OTP-11). Written here by hand since otplib leaves out what
 * is a default, and apps differ in their defaults: a URI of ours names algorithm, digits and period always.
 */
import type { Seconds } from '../base/units.js';
import { encodeBase32 } from './base32.js';
import type { OtpAlgorithm, OtpDigits } from './hotp.js';

export interface OtpauthParams {
  readonly type: 'totp' | 'hotp';
  /** Who asks for the code: shown by the app. Colons, which would end it, become spaces. */
  readonly issuer: string;
  /** Whose code it is. Colons likewise. */
  readonly label: string;
  readonly key: Buffer;
  readonly algorithm: OtpAlgorithm;
  readonly digits: OtpDigits;
  /** Of a TOTP token. */
  readonly period: Seconds;
  /** Of a HOTP token: the counter that the app begins with. */
  readonly counter: number;
}

/** The URI; it holds the secret, so it is shown once and never logged. */
export function otpauthUri(params: OtpauthParams): string {
  const issuer = part(params.issuer);
  const moving = params.type === 'totp' ? `period=${params.period}` : `counter=${params.counter}`;
  return (
    `otpauth://${params.type}/${issuer}:${part(params.label)}?secret=${encodeBase32(params.key)}&issuer=${issuer}` +
    `&algorithm=${params.algorithm}&digits=${params.digits}&${moving}`
  );
}

/** Percent-encoded with %20 for a space, as apps expect it; by way of UTF-8, since a lone surrogate would not encode. */
const part = (text: string): string => encodeURIComponent(Buffer.from(text, 'utf8').toString().replaceAll(':', ' '));
