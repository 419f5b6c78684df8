/** Groups: users who share resources. */
import { z } from 'zod';
import { LIMITS, name, recordHead, references } from './values.js';

const fields = { resources: references(LIMITS.resourcesOfGroup).nullish() };

/** `POST /groups`, and `groups` of a records file. */
export const groupCreate = z.strictObject({ name, ...fields });
export type GroupCreate = z.output<typeof groupCreate>;
export const groupPatch = z.strictObject({ name: name.optional(), ...fields });
export type GroupPatch = z.output<typeof groupPatch>;

/** A group as the API shows it: resources by name. */
export const groupRecord = z.object({ ...recordHead, name: z.string(), resources: z.array(z.string()) });
export type GroupRecord = z.output<typeof groupRecord>;
