/**
 * The end of this turn of the event loop. A batch that begins there takes along everything that the turn brings (a socket is read
 * many datagrams at a time, a read answers many requests), where one that began with the first would leave the rest waiting for it.
 * Nobody waits for anything that has not arrived yet.
 */
export const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
