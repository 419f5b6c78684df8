/** `sallyport radius-client`: the gear that may ask over RADIUS. */
import { radiusClientCreate, radiusClientPatch } from '../records/radius-client.js';
import { commandGroup } from './command.js';
import { findNamed, recordCommands } from './record-commands.js';

export const radiusClientCommand = commandGroup(
  'radius-client',
  'RADIUS clients: the gear that may ask, and what it guards',
  recordCommands({
    word: 'radius-client',
    noun: 'RADIUS client',
    key: 'name',
    keyFirst: true,
    create: radiusClientCreate,
    patch: radiusClientPatch,
    help: {
      name: 'Another name',
      address: 'Where it asks from: an address or a network',
      secret: 'The shared secret; - reads it',
      resource: 'What it guards, by name or id',
      requireMessageAuthenticator: 'Whether requests must be signed; auto: once one was',
      nasIdentifier: 'Picks among several behind one address',
      domains: 'A domain that may stand with a login and is left out',
      limitProxyState: 'Whether to drop Proxy-State without a signature',
      active: 'Whether it may ask',
    },
    list: (records, query) => records.radiusClients.list(query),
    find: (records, reference) => findNamed(records.radiusClients, reference),
    make: (records, input, by) => records.radiusClients.create(input, by),
    change: (records, id, patch, by) => records.radiusClients.update(id, patch, by),
    remove: (records, id, by) => records.radiusClients.remove(id, by),
    called: ({ name }) => name,
    heads: ['NAME', 'ADDRESS', 'RESOURCE', 'ACTIVE', 'SIGNED', 'ID'],
    cells: (client) => [
      client.name,
      client.address,
      client.resource,
      client.active ? 'yes' : 'no',
      client.messageAuthenticatorSeen ? 'yes' : 'not seen',
      client.id,
    ],
    examples: {
      create: [
        ['radius-client create edge --address 192.0.2.1 --secret - --resource vpn', 'the secret from standard input'],
      ],
      set: [
        ['radius-client set edge --domain CORP --domain corp.example', 'CORP\\alice and alice@corp.example mean alice'],
      ],
    },
  }),
);
