/** `sallyport group`: users who share resources. */
import { groupCreate, groupPatch } from '../records/group.js';
import { commandGroup } from './command.js';
import { GROUP, RESOURCE, USER } from './ends.js';
import { linkCommands, reversed } from './links.js';
import { recordCommands } from './record-commands.js';

export const groupCommand = commandGroup('group', 'Groups: users who share resources', [
  ...recordCommands({
    word: 'group',
    noun: 'group',
    key: 'name',
    keyFirst: true,
    create: groupCreate,
    patch: groupPatch,
    help: { name: 'Another name', resources: 'A resource that its users may enter' },
    list: (records, query) => records.groups.list(query),
    find: GROUP.find,
    make: (records, input, by) => records.groups.create(input, by),
    change: (records, id, patch, by) => records.groups.update(id, patch, by),
    remove: (records, id, by) => records.groups.remove(id, by),
    called: GROUP.called,
    heads: ['NAME', 'RESOURCES', 'ID'],
    cells: ({ name, resources, id }) => [name, resources.join(','), id],
    examples: {
      create: [['group create staff --resource vpn --resource wiki', 'whoever is in it may enter both']],
      set: [['group set staff --resource wiki', 'only the wiki from now on']],
    },
  }),
  ...linkCommands({
    link: (records) => reversed(records.links.userGroup),
    left: GROUP,
    right: USER,
    put: { word: 'add', summary: 'Take a user into a group', said: (group, user) => `${user} is in ${group}` },
    remove: { word: 'remove', summary: 'Take a user out', said: (group, user) => `${user} is not in ${group}` },
  }),
  ...linkCommands({
    link: (records) => records.links.groupResource,
    left: GROUP,
    right: RESOURCE,
    put: {
      word: 'assign',
      summary: 'Let the users of a group enter a resource',
      said: (group, resource) => `${group} may enter ${resource}`,
    },
    remove: {
      word: 'unassign',
      summary: 'End that; users may still be assigned directly',
      said: (group, resource) => `${group} does not open ${resource}`,
    },
  }),
]);
