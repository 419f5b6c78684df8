import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, millis } from '../../src/base/units.js';
import { ldapApplications } from '../../src/ldap/applications.js';
import { type ConnectionOptions, LdapConnection } from '../../src/ldap/connection.js';
import { ldapDirectory } from '../../src/ldap/directory.js';
import type { Instruction, Verdict } from '../../src/ldap/instruction.js';
import { ALICE, abandon, bind, extended, hex, notice, result, search, startTls, unbind, whoAmI } from './requests.js';

const START = instant(1_000_000);
const at = (ms: number) => instant(START + ms);
const ACCEPTED: Verdict = { kind: 'accepted', dn: ALICE };
const BIND = 0x61;

const directory = ldapDirectory({
  applications: () => ldapApplications([]),
  startTls: () => true,
  vendorVersion: '1',
});

/** A connection that notes what it wants done. */
function connect(options: Partial<ConnectionOptions> = {}) {
  const connection = new LdapConnection(
    {
      peer: '192.0.2.1',
      secure: false,
      requireTls: false,
      allowAnonymous: true,
      rejectDelay: millis(250),
      startTls: () => true,
      directory,
      ...options,
    },
    START,
  );
  return {
    connection,
    receive: (octets: Buffer, now = START) => connection.receive(Buffer.from(octets), now),
  };
}

const sent = (instructions: readonly Instruction[]): Buffer =>
  Buffer.concat(instructions.flatMap((each) => (each.do === 'send' || each.do === 'startTls' ? [each.octets] : [])));
const done = (instructions: readonly Instruction[]) => instructions.map((each) => each.do);
const closedFor = (instructions: readonly Instruction[]) =>
  instructions.find((each) => each.do === 'close')?.cause ?? null;

/** Octets in, octets out: protocol.md §4.5. */
const ANSWERS = [
  ['LDAP-20: an anonymous bind', '300c 020101 6007 020103 0400 8000', '300c 020101 6107 0a0100 0400 0400'],
  [
    'LDAP-21: a name without a password is not let in',
    '3027 020102 6022 020103 041b 7569643d616c6963652c64633d6578616d706c652c64633d6f7267 8000',
    '300c 020102 6107 0a0135 0400 0400',
  ],
  ['LDAP-20: SASL', '3013 020101 600e 020103 0400 a307 0405504c41494e', '300c 020101 6107 0a0107 0400 0400'],
  ['LDAP-20: version 2', '300c 020101 6007 020102 0400 8000', '300c 020101 6107 0a0102 0400 0400'],
  [
    'LDAP-8: a critical control that nobody knows',
    '3035 020108 6320 0400 0a0100 0a0100 020100 020100 010100 870b6f626a656374436c617373 3000 a00e 300c 0407312e322e332e34 0101ff',
    '300c 020108 6507 0a010c 0400 0400',
  ],
  [
    'LDAP-30: StartTLS',
    '301d 020101 7718 8016312e332e362e312e342e312e313436362e3230303337',
    '3024 020101 781f 0a0100 0400 0400 8a16312e332e362e312e342e312e313436362e3230303337',
  ],
  [
    'LDAP-54: WhoAmI of nobody',
    '301e 020102 7719 8017312e332e362e312e342e312e343230332e312e31312e33',
    '300e 020102 7809 0a0100 0400 0400 8b00',
  ],
  ['LDAP-9: an unknown extended request', '300a 020103 7705 8003312e32', '300c 020103 7807 0a0102 0400 0400'],
  [
    'LDAP-9: Password Modify',
    '301e 020104 7719 8017312e332e362e312e342e312e343230332e312e31312e31',
    '300c 020104 7807 0a0135 0400 0400',
  ],
  ['LDAP-9: modify', '3007 020105 6602 0400', '300c 020105 6707 0a0135 0400 0400'],
  ['LDAP-9: add', '3007 020105 6802 0400', '300c 020105 6907 0a0135 0400 0400'],
  ['LDAP-9: delete', '3006 020105 4a01 78', '300c 020105 6b07 0a0135 0400 0400'],
  ['LDAP-9: modifyDN', '3007 020105 6c02 0400', '300c 020105 6d07 0a0135 0400 0400'],
  ['LDAP-4: a bind with a broken body', '3007 020101 6002 0403', '300c 020101 6107 0a0102 0400 0400'],
  ['LDAP-4: a search with a broken body', '3007 020103 6302 0400', '300c 020103 6507 0a0102 0400 0400'],
  ['LDAP-7: an abandon', '3006 020106 500103', ''],
  [
    'LDAP-54: WhoAmI with a value',
    '3020 020102 771b 8017312e332e362e312e342e312e343230332e312e31312e33 8100',
    '300c 020102 7807 0a0102 0400 0400',
  ],
  [
    'LDAP-31: StartTLS with a value',
    '301f 020101 771a 8016312e332e362e312e342e312e313436362e3230303337 8100',
    '3024 020101 781f 0a0102 0400 0400 8a16312e332e362e312e342e312e313436362e3230303337',
  ],
  ['an id of four octets', '300f 02047fffffff 6007 020103 0400 8000', '300f 02047fffffff 6107 0a0100 0400 0400'],
] as const;

describe('each request has its answer, however its octets arrive', () => {
  test.each(ANSWERS)('%s', (_, request, response) => {
    const octets = hex(request);
    const expected = hex(response);
    expect(sent(connect().receive(octets))).toEqual(expected);

    const byOctet = connect();
    const pieces = [...octets].map((octet) => sent(byOctet.receive(Buffer.from([octet]))));
    expect(Buffer.concat(pieces)).toEqual(expected);
    expect(Buffer.concat(pieces.slice(0, -1))).toHaveLength(0);

    if (request.includes('3230303337') && response.includes('0a0100')) return; // nothing may follow a StartTLS
    const followed = connect().receive(Buffer.concat([octets, bind(9, '', '').subarray(0, 5)]));
    expect(sent(followed)).toEqual(expected);
  });
});

describe('LDAP-3, 6: what is no message ends the connection with a notice', () => {
  test.each([
    ['an indefinite length', '3080', 'protocol_error'],
    ['LDAP-2: 4 GiB', '3084ffffffff', 'too_large'],
    ['LDAP-2: one octet over 256 KiB', '3083040001', 'too_large'],
    ['LDAP-5: the id 0', '300c 020100 6007 020103 0400 8000', 'protocol_error'],
    ['an unknown operation', '3005 020105 7f00', 'protocol_error'],
    ['an empty sequence', '3000', 'protocol_error'],
    ['TLS on the plain port', '16030100', 'protocol_error'],
    ['HTTP', '474554202f', 'protocol_error'],
  ])('%s', (_, octets, cause) => {
    const { connection, receive } = connect();
    const instructions = receive(hex(octets));
    expect(sent(instructions)).toEqual(notice('02'));
    expect(closedFor(instructions)).toBe(cause);
    expect(connection.closed).toBe(true);
    expect(receive(bind(1, '', ''))).toEqual([]);
  });

  test('LDAP-2: after a bind 1 MiB is taken, one octet more is not', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    connection.settle(ACCEPTED, START);
    expect(receive(hex('3083 100000'))).toEqual([]);
    const other = connect();
    other.receive(bind(1, ALICE, '755224'));
    other.connection.settle(ACCEPTED, START);
    expect(closedFor(other.receive(hex('3083 100001')))).toBe('too_large');
  });

  test('requests before it are still answered', () => {
    const { receive } = connect();
    const instructions = receive(Buffer.concat([whoAmI(1), hex('3080')]));
    expect(sent(instructions)).toEqual(Buffer.concat([hex('300e 020101 7809 0a0100 0400 0400 8b00'), notice('02')]));
  });
});

describe('a bind with a name and a password', () => {
  test('asks, and is answered as soon as it is accepted; then WhoAmI knows who', () => {
    const { connection, receive } = connect();
    const password = Buffer.from('755224');
    expect(receive(bind(1, ALICE, '755224'))).toEqual([{ do: 'ask', name: ALICE, password, receivedAt: START }]);
    expect(sent(connection.settle(ACCEPTED, at(3)))).toEqual(hex('300c 020101 6107 0a0100 0400 0400'));
    expect(sent(receive(whoAmI(2)))).toEqual(
      hex(
        '3035 020102 7830 0a0100 0400 0400 8b27646e3a7569643d616c6963652c6f753d75736572732c64633d6578616d706c652c64633d6f7267',
      ),
    );
  });

  test.each([
    [0, 250],
    [3, 247],
    [250, 0],
    [251, 249],
    [1001, 249],
    [-5000, 250],
  ])('LDAP-22: refused after %i ms, it waits %i ms more', (decidedAfter, more) => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, 'wrong'));
    const settled = connection.settle({ kind: 'refused' }, at(decidedAfter));
    if (more === 0) {
      expect(sent(settled)).toEqual(result(1, BIND, 49));
      return;
    }
    expect(settled).toEqual([{ do: 'wait', span: more }]);
    expect(sent(connection.wake(at(decidedAfter + more)))).toEqual(result(1, BIND, 49));
    expect(connection.wake(at(decidedAfter + more))).toEqual([]);
  });

  test.each([
    ['unavailable', 52],
    ['busy', 51],
    ['failed', 80],
  ] as const)('LDAP-23: %s is answered with %i at once', (kind, code) => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    expect(sent(connection.settle({ kind }, START))).toEqual(result(1, BIND, code));
  });

  test('LDAP-24: the connection is anonymous from its arrival on, and after a failure', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    connection.settle(ACCEPTED, START);
    receive(bind(2, ALICE, 'wrong'));
    expect(connection.boundDn).toBeNull();
    connection.settle({ kind: 'unavailable' }, START);
    expect(connection.boundDn).toBeNull();
    receive(bind(3, ALICE, '755224'));
    connection.settle(ACCEPTED, START);
    receive(bind(4, ALICE, ''));
    expect(connection.boundDn).toBeNull();
  });

  test('LDAP-24: what comes behind it waits for its answer', () => {
    const { connection, receive } = connect();
    expect(done(receive(Buffer.concat([bind(1, ALICE, '755224'), whoAmI(2), bind(3, ALICE, '287082')])))).toEqual([
      'ask',
    ]);
    const settled = connection.settle(ACCEPTED, START);
    expect(done(settled)).toEqual(['send', 'send', 'ask']);
    expect(sent(settled).subarray(0, 14)).toEqual(result(1, BIND, 0));
    expect(done(connection.settle(ACCEPTED, START))).toEqual(['send']);
  });

  test('LDAP-24: so does what comes behind a refusal that must not leave yet', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, 'wrong'));
    connection.settle({ kind: 'refused' }, START);
    expect(receive(whoAmI(2), at(10))).toEqual([]);
    expect(done(connection.wake(at(250)))).toEqual(['count', 'send', 'send']);
  });

  test('LDAP-11: 16 messages wait behind it, then reading stops until it is answered', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    const behind = Array.from({ length: 40 }, (_, index) => whoAmI(index + 2));
    expect(receive(Buffer.concat(behind.slice(0, 15)))).toEqual([]);
    expect(done(receive(Buffer.concat(behind.slice(15))))).toEqual(['pause']);
    const settled = connection.settle(ACCEPTED, START);
    expect(done(settled)).toEqual([...Array.from({ length: 41 }, () => 'send'), 'resume']);
  });

  test('LDAP-5: an id that is in use gets protocolError, and the bind goes on', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    expect(sent(receive(search(1, '')))).toEqual(result(1, 0x65, 2));
    receive(whoAmI(2));
    expect(sent(receive(bind(2, ALICE, 'x')))).toEqual(result(2, BIND, 2));
    expect(done(connection.settle(ACCEPTED, START))).toEqual(['send', 'send']);
  });

  test('LDAP-7: it cannot be abandoned; an unbind behind it closes once it is answered', () => {
    const { connection, receive } = connect();
    receive(Buffer.concat([bind(1, ALICE, '755224'), abandon(2, 1), unbind(3)]));
    expect(connection.settle(ACCEPTED, START)).toEqual([
      { do: 'send', octets: result(1, BIND, 0) },
      { do: 'close', cause: 'unbind' },
    ]);
  });

  test('garbage behind it ends the connection after its answer', () => {
    const { connection, receive } = connect();
    expect(done(receive(Buffer.concat([bind(1, ALICE, '755224'), hex('16030100')])))).toEqual(['ask']);
    const settled = connection.settle(ACCEPTED, START);
    expect(sent(settled)).toEqual(Buffer.concat([result(1, BIND, 0), notice('02')]));
    expect(closedFor(settled)).toBe('protocol_error');
  });

  test('a verdict for a connection that is gone goes nowhere', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    connection.abandon();
    expect(connection.settle(ACCEPTED, START)).toEqual([]);
    expect(connection.wake(START)).toEqual([]);
  });

  test('LDAP-8: a critical control that nobody knows stops it before anybody is asked', () => {
    const octets = bind(1, ALICE, '755224');
    const control = hex('a00e 300c 0407312e322e332e34 0101ff');
    const withControl = Buffer.concat([octets, control]);
    withControl[1] = octets.length - 2 + control.length;
    const instructions = connect().receive(withControl);
    expect(sent(instructions)).toEqual(result(1, BIND, 12));
    expect(done(instructions)).not.toContain('ask');
  });
});

describe('binds that nobody is asked about', () => {
  test('LDAP-20: anonymous where that is forbidden: 48', () => {
    expect(sent(connect({ allowAnonymous: false }).receive(bind(1, '', '')))).toEqual(result(1, BIND, 48));
  });

  test('LDAP-21: a name without a password is reported as malformed', () => {
    expect(connect().receive(bind(1, ALICE, ''))[0]).toEqual({
      do: 'report',
      report: { reason: 'malformed', detail: 'unauthenticated_bind', name: ALICE },
    });
  });

  test('LDAP-29: a password in the clear where TLS is required: 13, not checked, reported', () => {
    const instructions = connect({ requireTls: true }).receive(bind(1, ALICE, '755224'));
    expect(sent(instructions)).toEqual(result(1, BIND, 13));
    expect(done(instructions)).toEqual(['report', 'count', 'send']);
    expect(instructions[0]).toMatchObject({ report: { reason: 'method_not_allowed', detail: 'cleartext_password' } });
  });

  test('LDAP-29: under TLS it is checked', () => {
    const { connection, receive } = connect({ requireTls: true, secure: true });
    expect(receive(bind(1, ALICE, '755224'))).toEqual([]); // the handshake comes first
    connection.secured(START);
    expect(done(receive(bind(1, ALICE, '755224')))).toEqual(['ask']);
  });
});

describe('StartTLS', () => {
  test('LDAP-30: octets behind the request, before the response: close, nothing answered', () => {
    const instructions = connect().receive(Buffer.concat([startTls(1), bind(2, ALICE, '755224')]));
    expect(instructions).toEqual([{ do: 'close', cause: 'starttls_injection' }]);
    expect(connect().receive(Buffer.concat([startTls(1), hex('16')]))).toEqual([
      { do: 'close', cause: 'starttls_injection' },
    ]);
  });

  test('LDAP-31: over TLS: 1, and the connection goes on', () => {
    const { connection, receive } = connect();
    expect(done(receive(startTls(1)))).toEqual(['startTls']);
    connection.secured(START);
    expect(sent(receive(startTls(2))).subarray(7, 10)).toEqual(hex('0a0101'));
    expect(sent(receive(bind(3, '', '')))).toEqual(result(3, BIND, 0));
  });

  test('LDAP-31: while a bind runs: 1', () => {
    const { connection, receive } = connect();
    receive(Buffer.concat([bind(1, ALICE, '755224'), startTls(2)]));
    expect(sent(connection.settle(ACCEPTED, START)).subarray(14 + 7, 14 + 10)).toEqual(hex('0a0101'));
  });

  test('LDAP-31: without a certificate: 52, and the connection goes on', () => {
    const { receive } = connect({ startTls: () => false });
    expect(sent(receive(startTls(1))).subarray(7, 10)).toEqual(hex('0a0134'));
    expect(sent(receive(bind(2, '', '')))).toEqual(result(2, BIND, 0));
  });

  test('LDAP-32: who was bound before is anonymous after it', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    connection.settle(ACCEPTED, START);
    receive(startTls(2));
    connection.secured(START);
    expect(sent(receive(whoAmI(3)))).toEqual(hex('300e 020103 7809 0a0100 0400 0400 8b00'));
  });

  test('LDAP-32: the peer ends during the handshake: close', () => {
    const { connection, receive } = connect();
    receive(startTls(1));
    expect(connection.end(START)).toEqual([{ do: 'close', cause: 'tls_failed' }]);
  });
});

describe('time', () => {
  const TIMEOUT: readonly Instruction[] = [{ do: 'close', cause: 'timeout' }];

  test('LDAP-11: nothing for 30 s after connecting', () => {
    const { connection } = connect();
    expect(connection.expire(at(29_999))).toEqual([]);
    expect(connection.expire(at(30_000))).toEqual(TIMEOUT);
  });

  test('LDAP-11: nothing for 10 minutes after the last message', () => {
    const { connection, receive } = connect();
    receive(bind(1, '', ''), at(20_000));
    expect(connection.expire(at(619_999))).toEqual([]);
    expect(connection.expire(at(620_000))).toEqual(TIMEOUT);
  });

  test('LDAP-11: half a message for 10 s, however many octets still trickle in', () => {
    const { connection, receive } = connect();
    const octets = bind(1, ALICE, '755224');
    receive(bind(9, '', ''), at(0));
    for (let index = 0; index < 20; index += 1) {
      receive(octets.subarray(index, index + 1), at(1000 + index * 500));
      if (index * 500 < 10_000) expect(connection.expire(at(1000 + index * 500))).toEqual([]);
    }
    expect(connection.expire(at(10_999))).toEqual([]);
    expect(connection.expire(at(11_000))).toEqual(TIMEOUT);
  });

  test('LDAP-11: whole messages that follow each other in uneven pieces are never late', () => {
    const { connection, receive } = connect();
    const stream = Buffer.concat(Array.from({ length: 40 }, (_, index) => whoAmI(index + 1)));
    for (let from = 0, now = 0; from < stream.length; from += 31, now += 1000) {
      receive(stream.subarray(from, from + 31), at(now));
      expect(connection.expire(at(now + 999))).toEqual([]);
    }
  });

  test('a bind that takes long is not cut', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    expect(connection.expire(at(700_000))).toEqual([]);
    expect(sent(connection.settle(ACCEPTED, at(700_000)))).toEqual(result(1, BIND, 0));
    expect(connection.expire(at(700_001))).toEqual([]);
  });

  test('a handshake has 10 s', () => {
    const { connection, receive } = connect();
    receive(startTls(1), at(5_000));
    expect(connection.expire(at(14_999))).toEqual([]);
    expect(connection.expire(at(15_000))).toEqual(TIMEOUT);
    expect(connect({ secure: true }).connection.expire(at(10_000))).toEqual(TIMEOUT);
  });
});

describe('the end', () => {
  test('LDAP-12: at rest, the notice says unavailable', () => {
    const instructions = connect().connection.shutdown();
    expect(sent(instructions)).toEqual(notice('34'));
    expect(closedFor(instructions)).toBe('shutdown');
  });

  test('LDAP-12: a running bind is finished first; what waits behind it is not', () => {
    const { connection, receive } = connect();
    receive(Buffer.concat([bind(1, ALICE, '755224'), whoAmI(2)]));
    expect(connection.shutdown()).toEqual([]);
    expect(receive(whoAmI(3))).toEqual([]);
    const settled = connection.settle(ACCEPTED, START);
    expect(sent(settled)).toEqual(Buffer.concat([result(1, BIND, 0), notice('34')]));
    expect(closedFor(settled)).toBe('shutdown');
  });

  test('LDAP-12: a refusal keeps its delay even then', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, 'wrong'));
    connection.settle({ kind: 'refused' }, START);
    expect(connection.shutdown()).toEqual([]);
    expect(sent(connection.wake(at(250)))).toEqual(Buffer.concat([result(1, BIND, 49), notice('34')]));
  });

  test('who half-closes after a bind still gets the answer', () => {
    const { connection, receive } = connect();
    receive(bind(1, ALICE, '755224'));
    expect(connection.end(START)).toEqual([]);
    expect(done(connection.settle(ACCEPTED, START))).toEqual(['send', 'close']);
    expect(done(connect().connection.end(START))).toEqual(['close']);
  });
});

describe('any octets, any verdicts, any order', () => {
  const good = fc.constantFrom(
    bind(1, '', ''),
    bind(2, ALICE, '755224'),
    bind(3, ALICE, ''),
    whoAmI(4),
    search(5, ''),
    search(6, 'dc=example', 2),
    startTls(7),
    abandon(8, 2),
    extended(9, '1.2.3'),
  );
  const octets = fc.oneof(
    { weight: 4, arbitrary: good },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each)) },
    {
      weight: 2,
      arbitrary: fc.tuple(good, fc.nat(60), fc.nat(255)).map(([each, index, to]) => {
        const changed = Buffer.from(each);
        changed[index % changed.length] = to;
        return changed;
      }),
    },
  );
  const verdict = fc.constantFrom<Verdict>(ACCEPTED, { kind: 'refused' }, { kind: 'unavailable' }, { kind: 'busy' });
  const step = fc.oneof(
    { weight: 6, arbitrary: octets.map((each) => ({ what: 'receive' as const, octets: each })) },
    { weight: 3, arbitrary: verdict.map((each) => ({ what: 'settle' as const, verdict: each })) },
    { weight: 1, arbitrary: fc.constant({ what: 'wake' as const }) },
    { weight: 1, arbitrary: fc.constant({ what: 'secured' as const }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom({ what: 'end' as const }, { what: 'shutdown' as const }, { what: 'expire' as const }),
    },
  );

  test('nothing is sent after the end, one bind runs at a time, and no message is answered twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { connection, receive } = connect();
        let running = false;
        let ended = false;
        steps.forEach((each, index) => {
          const now = at(index * 100);
          let out: readonly Instruction[] = [];
          if (each.what === 'receive') {
            out = receive(each.octets, now);
          } else if (each.what === 'settle') {
            out = connection.settle(each.verdict, now);
            if (out.some((instruction) => instruction.do === 'send')) running = false;
          } else if (each.what === 'wake') {
            out = connection.wake(now);
            if (out.length > 0) running = false;
          } else if (each.what === 'shutdown') {
            out = connection.shutdown();
          } else {
            out = connection[each.what](now);
          }
          if (ended) expect(out).toEqual([]);
          for (const instruction of out) {
            expect(ended).toBe(false);
            if (instruction.do === 'ask') {
              expect(running).toBe(false);
              running = true;
            }
            if (instruction.do === 'close') ended = true;
          }
        });
      }),
      { numRuns: 3000 },
    );
  });
});
