/** The figures as Markdown, for the README. */

const OURS = 'Sallyport';

const number = (value) => Math.round(value).toLocaleString('en-US');
const seconds = (value) => `${value.toFixed(value < 10 ? 2 : 1)} s`;
const ms = (value) => `${value.toFixed(2)} ms`;
const mib = (value) => `${number(value)} MiB`;

/** `peers` says of FreeRADIUS and slapd what they are called here, with their version; null where one is not installed. */
export function report({ sizes, quick, facts, peers, radius, ldap, many }) {
  return `${[
    about(facts, quick, sizes),
    comparison(`RADIUS, PAP with TOTP, ${number(sizes.radiusUsers)} users`, peers.freeradius, [
      rate(`accepted a second, ${sizes.window} in flight, every user new`, radius.many),
      ...latencies(radius.many),
      time('one alone: median', radius.alone, 'p50'),
      time('one alone: 99 of 100 within', radius.alone, 'p99'),
      memory('resident memory after it', radius.many),
      ['each code accepted once; on disk before the answer', 'yes; yes', 'no; no', ''],
    ]),
    comparison(`LDAP, simple bind with TOTP, ${number(sizes.ldapUsers)} users`, peers.slapd, [
      rate(`accepted a second, ${sizes.connections} connections`, ldap.many),
      ...latencies(ldap.many),
      time('one alone: median', ldap.alone, 'p50'),
      time('one alone: 99 of 100 within', ldap.alone, 'p99'),
      memory('resident memory after it', ldap.many),
      ['each code accepted once; on disk before the answer', 'yes; yes', 'yes; yes', ''],
    ]),
    table([`${number(sizes.manyUsers)} users`, OURS], manyRows(many, sizes)),
    'The rounds, in the order in which they ran:',
    table(
      ['round', 'server', 'accepted a second', 'median', '99 of 100', 'longest', 'accepted', 'not accepted'],
      [
        ...rounds('RADIUS', radius.many),
        ...rounds('RADIUS, one alone', radius.alone),
        ...rounds('LDAP', ldap.many),
        ...rounds('LDAP, one alone', ldap.alone),
      ],
    ),
  ].join('\n\n')}\n`;
}

/** The middle value; of two middle ones their mean. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function about(facts, quick, sizes) {
  const day = new Date().toISOString().slice(0, 10);
  const lines = [
    `Measured by \`scripts/bench${quick ? ' --quick' : ''}\` on ${day}: ${facts.cores}, ${facts.memory} of memory, ${facts.system},`,
    `file system ${facts.fileSystem}, Node ${facts.node}; load before the run ${facts.load}. Servers and load generators share the cores.`,
    `Figures are medians of ${sizes.rounds} rounds, in which Sallyport and the peer took turns.`,
  ];
  if (quick) lines.push('**Few users and short rounds: this shows that everything runs, not how fast.**');
  if (facts.busy) lines.push('**The machine had other work meanwhile.**');
  if (facts.fileSystem === 'tmpfs')
    lines.push('**The databases were in memory, where a write to disk costs nothing.**');
  return lines.join('\n');
}

const comparison = (title, peer, rows) =>
  table([title, OURS, peer ?? 'peer (not installed here)', 'Sallyport ÷ peer'], rows);

const rate = (label, done) => compared(label, done, 'perSecond', number);
const time = (label, done, field) => compared(label, done, field, ms);
const memory = (label, done) => compared(label, done, 'memory', mib);
const latencies = (done) => [time('– median', done, 'p50'), time('– 99 of 100 within', done, 'p99')];

function compared(label, done, field, unit) {
  const of = (isOurs) => done.filter(({ server }) => (server === OURS) === isOurs).map((round) => round[field]);
  const ours = median(of(true));
  if (of(false).length === 0) return [label, unit(ours), '–', ''];
  const theirs = median(of(false));
  return [label, unit(ours), unit(theirs), (ours / theirs).toFixed(2)];
}

function manyRows(many, sizes) {
  const { quiet, meanwhile, served } = many;
  const spread = (load) => `${ms(load.p50)}, ${ms(load.p99)}, ${ms(load.max)}${refusals(load)}`;
  return [
    [
      'import from CSV while the daemon answers',
      `${seconds(many.importSeconds)} (${number(sizes.manyUsers / many.importSeconds)} a second)`,
    ],
    [`sign-ins meanwhile, ${many.steadyRate} a second: median, 99 of 100, longest`, spread(meanwhile)],
    ['– the same before the import', spread(quiet)],
    ['start of the process to the first yes of `/readyz`', seconds(median(many.startSeconds))],
    [`resident memory after ${number(served.accepted)} of them signed in`, `${mib(many.memory)}${refusals(served)}`],
    ['– accepted a second meanwhile', number(served.perSecond)],
  ];
}

const refusals = ({ asked, accepted }) =>
  asked === accepted ? '' : `; **${number(asked - accepted)} of ${number(asked)} not accepted**`;

const rounds = (what, done) =>
  done.map((round) => [
    `${what}, ${round.round}`,
    round.server,
    number(round.perSecond),
    ms(round.p50),
    ms(round.p99),
    ms(round.max),
    number(round.accepted),
    number(round.asked - round.accepted),
  ]);

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
