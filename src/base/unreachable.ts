/** Ends a `switch` over a union: compiles only while every case is handled. Throws where the types were deceived. */
export function unreachable(_: never): never {
  throw new Error('a case that the types rule out');
}
