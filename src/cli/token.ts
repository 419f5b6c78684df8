/** `sallyport token`: what makes one-time passwords. */
import { tokenCreate, tokenPatch } from '../records/token.js';
import { commandGroup } from './command.js';
import { TOKEN, USER } from './ends.js';
import { linkCommands, reversed } from './links.js';
import { recordCommands } from './record-commands.js';

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export const tokenCommand = commandGroup('token', 'Tokens: what makes one-time passwords', [
  ...recordCommands({
    word: 'token',
    noun: 'token',
    key: 'serial',
    keyFirst: false,
    create: tokenCreate,
    patch: tokenPatch,
    help: {
      type: 'What it counts',
      secret: 'In Base32; one is made where none is given; - reads it',
      algorithm: 'Hash under the HMAC',
      digits: 'Length of a code: 6, 7 or 8',
      period: 'TOTP: seconds that a code lasts',
      counter: 'HOTP: what the token counted to',
      serial: 'Serial number, unique',
      name: 'What the user calls it',
      active: 'Whether it may be used',
      resources: 'The only resource that it opens',
      user: 'Whose it is, by login, alias or id; in stock without',
    },
    filters: {
      user: { type: 'string', requiresArg: true, describe: "Only this user's" },
      type: { choices: ['totp', 'hotp'], requiresArg: true, describe: 'Only these' },
      'in-stock': { type: 'boolean', describe: 'Only those that nobody has, or with --no-in-stock the others' },
    },
    list: (records, query, { user, type, inStock }) =>
      records.tokens.list({
        ...query,
        user: textOf(user),
        type: type === 'totp' || type === 'hotp' ? type : undefined,
        inStock: typeof inStock === 'boolean' ? inStock : undefined,
      }),
    find: TOKEN.find,
    make: (records, input, by) => records.tokens.create(input, by),
    change: (records, id, patch, by) => records.tokens.update(id, patch, by),
    remove: (records, id, by) => records.tokens.remove(id, by),
    called: TOKEN.called,
    heads: ['SERIAL', 'NAME', 'TYPE', 'USER', 'ACTIVE', 'ID'],
    cells: (token) => [
      token.serial ?? '',
      token.name ?? '',
      token.type,
      token.user ?? 'in stock',
      token.active ? 'yes' : 'no',
      token.id,
    ],
    examples: {
      create: [
        [
          'token create --type totp --user alice --name phone',
          'prints the secret and the otpauth URI for the QR code, once',
        ],
        [
          'token create --type hotp --serial FT-0001 --secret -',
          'a hardware token for the stock, its secret from standard input',
        ],
      ],
      set: [['token set FT-0001 --active false', 'it was lost']],
    },
  }),
  ...linkCommands({
    link: (records) => reversed(records.links.userToken),
    left: TOKEN,
    right: USER,
    put: {
      word: 'assign',
      summary: 'Give a token that is in stock to a user',
      said: (token, user) => `${token} is ${user}'s`,
    },
    remove: {
      word: 'unassign',
      summary: 'Take a token from a user; it goes back to stock',
      said: (token, user) => `${token} is no longer ${user}'s`,
    },
  }),
]);
