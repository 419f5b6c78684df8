/** `sallyport resource`: what is entered, and the policy for entering it. */

import { done, failed } from '../records/problem.js';
import { resourceCreate, resourcePatch } from '../records/resource.js';
import { isId } from '../records/values.js';
import { commandGroup } from './command.js';
import { recordCommands } from './record-commands.js';

export const resourceCommand = commandGroup(
  'resource',
  'Resources: what is entered, and how',
  recordCommands({
    word: 'resource',
    key: 'name',
    keyFirst: true,
    create: resourceCreate,
    patch: resourcePatch,
    list: (records, query) => records.resources.list(query),
    find: async (records, reference) => {
      if (isId(reference)) return records.resources.get(reference);
      const listed = await records.resources.list({ name: reference });
      if (!listed.ok) return listed;
      const [found] = listed.value.items;
      return found === undefined ? failed({ kind: 'notFound' }) : done(found);
    },
    make: (records, input, by) => records.resources.create(input, by),
    change: (records, id, patch, by) => records.resources.update(id, patch, by),
    remove: (records, id, by) => records.resources.remove(id, by),
    heads: ['name', 'active', 'first factor', 'credential forms', 'id'],
    cells: (resource) => [
      resource.name,
      resource.active ? 'yes' : 'no',
      resource.firstFactor,
      resource.credentialForms.join(' '),
      resource.id,
    ],
  }),
);
