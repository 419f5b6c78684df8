/** Links between two records: PUT makes one, DELETE ends it, and doing so again changes nothing. */
import { z } from 'zod';
import type { Link } from '../../store/record-store.js';
import { API, type App } from '../app.js';
import { validPath } from '../errors.js';
import { actorOf, answerDone } from '../results.js';
import { pathId } from '../schemas.js';

/** `PUT DELETE /left/{id}/right/{rightId}`. `right`: the folder of the other record; `noun`: what one is called there. */
export function linkRoutes(
  app: App,
  link: Link,
  names: { readonly left: string; readonly right: string; readonly leftNoun: string; readonly rightNoun: string },
): void {
  const { left, right, leftNoun, rightNoun } = names;
  const rightId = `${rightNoun}Id`;
  const path = z.object({ id: pathId, [rightId]: pathId });
  const operation = `${capital(leftNoun)}${capital(rightNoun)}`;
  const describe = (verb: string, summary: string) => ({
    tags: [left],
    summary,
    operationId: `${verb}${operation}`,
    params: path,
    response: { 204: z.undefined().meta({ description: 'So it is now' }) },
  });
  const ends = (params: unknown): readonly [string, string] => {
    const { id, [rightId]: other } = validPath(path, params);
    if (id === undefined || other === undefined) throw new Error('a path without its ids');
    return [id, other];
  };

  app.route({
    method: 'PUT',
    url: `${API}/${left}/:id/${right}/:${rightId}`,
    config: { permission: 'write' },
    schema: describe('link', `Link a ${leftNoun} with a ${rightNoun}`),
    handler: (request, reply) => answerDone(reply, link.put(...ends(request.params), actorOf(request))),
  });
  app.route({
    method: 'DELETE',
    url: `${API}/${left}/:id/${right}/:${rightId}`,
    config: { permission: 'write' },
    schema: describe('unlink', `End the link of a ${leftNoun} with a ${rightNoun}`),
    handler: (request, reply) => answerDone(reply, link.remove(...ends(request.params), actorOf(request))),
  });
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
