/** Reply attributes as whoever writes records has them checked: the dictionaries are loaded at the first look. */
import { loadDictionaries } from './dictionary.js';
import { checkReplyAttributes, type ReplyAttributes, replyAttributeProblemText } from './reply-attributes.js';

/** What is wrong with `attributes`, each with its name (empty: all of them together) and a sentence for the operator; empty where a NAS can be sent them. */
export function replyAttributeFaults(
  attributes: ReplyAttributes,
): readonly { readonly name: string; readonly message: string }[] {
  if (Object.keys(attributes).length === 0) return [];
  loadDictionaries();
  return checkReplyAttributes(attributes).map((problem) => ({
    name: 'name' in problem ? problem.name : '',
    message: replyAttributeProblemText(problem),
  }));
}
