/**
 * A private certificate authority and one server certificate, for an installation that has none yet: ECDSA on P-256, which
 * every TLS client of the last ten years speaks.
 */
// tsyringe, under @peculiar/x509, looks for it when it is loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Instant } from '../base/units.js';

/** PEM texts; both keys are PKCS #8. */
export interface PrivateAuthority {
  readonly caCert: string;
  readonly caKey: string;
  readonly serverCert: string;
  readonly serverKey: string;
}

/** Validity in days. */
export const VALIDITY = {
  server: 825, // the longest that Apple's platforms accept from a private authority
  authority: 3650, // outlives four server certificates; to replace it means visiting every client
} as const;

const DAY_MS = 86_400_000;
/** A client whose clock is a little behind must not find the certificate to be of the future. */
const BACKDATED_MS = 3_600_000;
/** RFC 5280 §4.1.2.2: positive, at most 20 octets; CA/Browser Forum: at least 64 random bits. */
const SERIAL_OCTETS = 16;

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Makes both, with fresh keys, for a server that is called by `names` (DNS names and addresses; the first is its common name). */
export async function makePrivateAuthority(
  names: readonly [string, ...string[]],
  now: Instant,
): Promise<PrivateAuthority> {
  cryptoProvider.set(webcrypto);
  const [caKeys, serverKeys] = await Promise.all([keyPair(), keyPair()]);
  const notBefore = new Date(now - BACKDATED_MS);

  // The random part tells two installations' authorities apart in a client's list.
  const caName = `CN=Sallyport private CA ${randomBytes(4).toString('hex')}`;
  const ca = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: caName,
    notBefore,
    notAfter: new Date(now + VALIDITY.authority * DAY_MS),
    signingAlgorithm: SIGNATURE,
    keys: caKeys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const server = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [names[0]] }],
    issuer: ca.subject,
    notBefore,
    notAfter: new Date(now + VALIDITY.server * DAY_MS),
    signingAlgorithm: SIGNATURE,
    signingKey: caKeys.privateKey,
    publicKey: serverKeys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map(generalName)),
      await SubjectKeyIdentifierExtension.create(serverKeys.publicKey),
      await AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  return {
    caCert: pem(ca),
    caKey: await keyPem(caKeys.privateKey),
    serverCert: pem(server),
    serverKey: await keyPem(serverKeys.privateKey),
  };
}

async function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
}

/** Hexadecimal; the first octet is made to be 0x40–0x7f, so that the number is positive and its length does not vary. */
function serial(): string {
  const octets = randomBytes(SERIAL_OCTETS);
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
  return octets.toString('hex');
}

function generalName(name: string): JsonGeneralName {
  return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name };
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY').trim()}\n`;
}
