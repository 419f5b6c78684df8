/** `sallyport resource`: what is entered, and the policy for entering it. */
import { CREDENTIAL_FORMS, METHODS, resourceCreate, resourcePatch } from '../records/resource.js';
import { commandGroup } from './command.js';
import { RESOURCE } from './ends.js';
import { recordCommands } from './record-commands.js';

export const resourceCommand = commandGroup(
  'resource',
  'Resources: what is entered, and how',
  recordCommands({
    word: 'resource',
    noun: 'resource',
    key: 'name',
    keyFirst: true,
    create: resourceCreate,
    patch: resourcePatch,
    help: {
      name: 'Another name',
      firstFactor: 'What is asked beside the code: none, local, or an upstream',
      credentialForms: `How both are typed, of ${CREDENTIAL_FORMS.join(', ')}`,
      separator: 'Between password and code',
      methods: `A RADIUS method, of ${METHODS.join(', ')}`,
      lockout: 'After how many failures in what time it locks, and for how long',
      sourceNetworks: 'A network that users may come from',
      accessHours: 'When it is open',
      tokenTypes: 'A type of token that is taken',
      replyAttributes: 'What the NAS is told of who is let in',
      rebindGrace: 'LDAP: how long the same code may bind again',
      reconnectGrace: 'RADIUS: how long the same code may sign in again',
      active: 'Whether anyone may enter',
    },
    list: (records, query) => records.resources.list(query),
    find: RESOURCE.find,
    make: (records, input, by) => records.resources.create(input, by),
    change: (records, id, patch, by) => records.resources.update(id, patch, by),
    remove: (records, id, by) => records.resources.remove(id, by),
    called: RESOURCE.called,
    heads: ['NAME', 'ACTIVE', 'FIRST FACTOR', 'CREDENTIAL FORMS', 'ID'],
    cells: (resource) => [
      resource.name,
      resource.active ? 'yes' : 'no',
      resource.firstFactor,
      resource.credentialForms.join(','),
      resource.id,
    ],
    examples: {
      create: [
        ['resource create vpn', 'the code alone lets in'],
        ['resource create wiki --first-factor local', 'password and code, as password+otp'],
      ],
      set: [
        ['resource set vpn --lockout "{ failures: 5, duration: 30m }"', 'what is not named stays'],
        ['resource set vpn --source-network 192.0.2.0/24 --source-network 2001:db8::/32', 'from these networks alone'],
        ['resource set vpn --reply-attributes "{ Filter-Id: vpn-users }"', 'for the NAS'],
      ],
    },
  }),
);
