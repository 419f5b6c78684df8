import radius from 'radius';
import { describe, expect, test } from 'vitest';
import { committedProof } from '../../src/access/ports.js';
import { Secret } from '../../src/base/secret.js';
import { ATTRIBUTE, attributesOf } from '../../src/radius/attributes.js';
import {
  checkAccessRequest,
  checkAccountingRequest,
  checkStatusServer,
  SecretKey,
} from '../../src/radius/authenticator.js';
import { LIMITS } from '../../src/radius/limits.js';
import { papCredential } from '../../src/radius/methods/pap.js';
import { decode } from '../../src/radius/packet.js';
import {
  checkReplyAttributes,
  compileReplyAttributes,
  replyAttributeProblemText,
  replyAttributesOf,
} from '../../src/radius/reply-attributes.js';
import { buildAccept, buildReject } from '../../src/radius/response.js';
import { accessRequest, resource, SECRET } from './harness.js';

const key = new SecretKey(Secret.of(SECRET));

function octetsOf(attributes: Parameters<typeof compileReplyAttributes>[0]): string {
  const compiled = compileReplyAttributes(attributes);
  return compiled.kind === 'compiled' ? compiled.octets.toString('hex') : JSON.stringify(compiled.problems);
}

describe('reply attributes', () => {
  test.each([
    ['a text', { 'Filter-Id': 'vpn-users' }, '0b0b76706e2d7573657273'],
    ['several of one name, in order', { 'Reply-Message': ['a', 'b'] }, '120361120362'],
    ['a whole number', { 'Session-Timeout': 3600 }, '1b0600000e10'],
    ['a whole number as text', { 'Session-Timeout': '3600' }, '1b0600000e10'],
    ['the name of a value', { 'Service-Type': 'Framed-User' }, '060600000002'],
    ['zero', { 'Idle-Timeout': 0 }, '1c0600000000'],
    ['an IPv4 address', { 'Framed-IP-Address': '10.0.0.5' }, '08060a000005'],
    ['octets as text, which Class is', { Class: 'OU=policy' }, '190b4f553d706f6c696379'],
    ['octets as hex', { Class: '0x00ff' }, '190400ff'],
    [
      'an IPv6 network, zeros past its length',
      { 'Framed-IPv6-Prefix': '2001:db8::1/64' },
      '6114004020010db8000000000000000000000000',
    ],
    [
      'a vendor’s text',
      { 'Cisco-AVPair': 'shell:priv-lvl=15' },
      '1a19 00000009 01137368656c6c3a707269762d6c766c3d3135',
    ],
    ['a vendor’s number', { 'MS-MPPE-Encryption-Policy': 'Encryption-Required' }, '1a0c 00000137 0706 00000002'],
    ['none at all', {}, ''],
  ])('%s is encoded', (_what, attributes, expected) => {
    expect(octetsOf(attributes)).toBe(expected.replace(/\s/g, ''));
  });

  test.each([
    ['Filter-ID', 'x', 'unknown'],
    ['11', 'x', 'unknown'],
    ['constructor', 'x', 'unknown'],
    ['__proto__x', 'x', 'unknown'],
    ['State', 'x', 'reserved'],
    ['EAP-Message', 'x', 'reserved'],
    ['Message-Authenticator', 'x', 'reserved'],
    ['Proxy-State', 'x', 'reserved'],
    ['User-Password', 'x', 'reserved'],
    ['Acct-Status-Type', 1, 'reserved'],
    ['Vendor-Specific', 'x', 'reserved'],
    ['MS-CHAP2-Success', 'x', 'reserved'],
    ['MS-MPPE-Send-Key', 'x', 'hidden'],
    ['Tunnel-Password', 'x', 'hidden'],
    ['Tunnel-Private-Group-Id', '10', 'tagged'],
    ['Framed-Interface-Id', '1:2:3:4', 'unsupportedType'],
    ['Session-Timeout', 'soon', 'badValue'],
    ['Session-Timeout', 1.5, 'badValue'],
    ['Session-Timeout', -1, 'badValue'],
    ['Session-Timeout', 2 ** 32, 'badValue'],
    ['Service-Type', 'constructor', 'badValue'],
    ['Framed-IP-Address', '999.0.0.1', 'badValue'],
    ['Framed-IP-Address', '10.0.0', 'badValue'],
    ['Framed-IPv6-Prefix', '2001:db8::/129', 'badValue'],
    ['Class', '0xabc', 'badValue'],
    ['Filter-Id', '', 'badValue'],
    ['Filter-Id', 'x'.repeat(254), 'tooLong'],
    ['Cisco-AVPair', 'x'.repeat(248), 'tooLong'],
  ])('%s = %s is refused: %s', (name, value, kind) => {
    const problems = checkReplyAttributes({ [name]: value });
    expect(problems).toMatchObject([{ name, kind }]);
    expect(problems.map(replyAttributeProblemText).join()).toContain(`${name}: `);
  });

  test('RAD-24: all that is wrong is told at once, and all together must fit into a packet', () => {
    expect(checkReplyAttributes({ Nonsense: 1, State: 'x', 'Filter-Id': 'fine' })).toHaveLength(2);
    const fits = { 'Cisco-AVPair': Array.from({ length: 14 }, () => 'x'.repeat(247)) };
    expect(checkReplyAttributes(fits)).toEqual([]);
    const long = { 'Cisco-AVPair': Array.from({ length: 15 }, () => 'x'.repeat(247)) };
    expect(checkReplyAttributes(long)).toEqual([
      { kind: 'allTooLong', octets: 15 * 255, limit: LIMITS.replyAttributesOctets },
    ]);
  });

  test('are encoded once for each version of a record', () => {
    const facts = resource({ 'Filter-Id': 'a' });
    expect(replyAttributesOf(facts)).toBe(replyAttributesOf(facts));
    expect(replyAttributesOf(resource({ 'Filter-Id': 'a' }))).not.toBe(replyAttributesOf(facts));
  });
});

// The `radius` package is another reader and writer of the same format; it never judges a packet in the server itself.
describe('the radius package', () => {
  const ours = (packet: Buffer) => {
    const decoded = decode(packet);
    if ('kind' in decoded) throw new Error(decoded.kind);
    return decoded;
  };

  test('writes requests that we read', () => {
    const packet = ours(
      radius.encode({
        code: 'Access-Request',
        secret: SECRET,
        identifier: 5,
        attributes: [
          ['User-Name', 'älice'],
          ['User-Password', 'a password of more than sixteen'],
        ],
        add_message_authenticator: true,
      }),
    );
    const checked = checkAccessRequest(packet, key, { messageAuthenticator: true, limitProxyState: true });
    expect(typeof checked).toBe('object');
    const password = [...attributesOf(packet.octets, 20)].find(({ type }) => type === ATTRIBUTE.userPassword);
    expect(papCredential(packet.octets, password?.start ?? 0, password?.end ?? 0, key)).toEqual({
      kind: 'text',
      text: 'a password of more than sixteen',
    });
    const other = new SecretKey(Secret.of('another'));
    expect(checkAccessRequest(packet, other, { messageAuthenticator: false, limitProxyState: true })).toBe(
      'bad_authenticator',
    );
  });

  test('writes accounting and Status-Server that we hold for authentic', () => {
    const accounting = ours(
      radius.encode({ code: 'Accounting-Request', secret: SECRET, attributes: [['Acct-Session-Id', '0001']] }),
    );
    expect(typeof checkAccountingRequest(accounting, key)).toBe('object');
    const status = ours(radius.encode({ code: 'Status-Server', secret: SECRET, attributes: [] }));
    expect(typeof checkStatusServer(status, key)).toBe('object');
  });

  test('reads and verifies the replies that we write', () => {
    const request = accessRequest({ id: 9, signed: true });
    const checked = checkAccessRequest(ours(request), key, { messageAuthenticator: true, limitProxyState: true });
    if (typeof checked === 'string') throw new Error(checked);
    const attributes = compileReplyAttributes({
      'Filter-Id': 'vpn-users',
      'Cisco-AVPair': ['a=b', 'c=d'],
      'Session-Timeout': 60,
    });
    if (attributes.kind === 'problems') throw new Error('problems');
    const accept = buildAccept(checked, key, committedProof('event'), attributes.octets);
    const reject = buildReject(checked, key);
    for (const response of [accept, reject]) {
      expect(
        response === null ? null : radius.verify_response({ request, response: Buffer.from(response), secret: SECRET }),
      ).toBe(true);
    }
    expect(accept === null ? null : radius.decode({ packet: accept, secret: SECRET }).attributes).toMatchObject({
      'Filter-Id': 'vpn-users',
      'Session-Timeout': 60,
      'Vendor-Specific': { 'Cisco-AVPair': ['a=b', 'c=d'] },
    });
  });
});
