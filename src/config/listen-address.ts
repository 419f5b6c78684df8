/** Where a door listens: `0.0.0.0:1812`, `[::]:1812`, `localhost:8080`. */
import { isIP } from 'node:net';

export interface ListenAddress {
  /** An address or a host name, IPv6 without brackets. */
  readonly host: string;
  /** 0 takes any free port: for tests, since nobody can be told which. */
  readonly port: number;
}

export type ListenAddressResult =
  | { readonly ok: true; readonly address: ListenAddress }
  | { readonly ok: false; readonly message: string };

const PORT_MAX = 65_535;
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** Reads `text`; the message repeats it and says what is wrong with it. */
export function parseListenAddress(text: string): ListenAddressResult {
  const wrong = (why: string): ListenAddressResult => ({
    ok: false,
    message: `${JSON.stringify(text)} is not address:port; ${why}`,
  });
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text);
  if (match === null) {
    return wrong(
      isIP(text) === 6 ? `an IPv6 address stands in brackets: "[${text}]:port"` : 'write it like "0.0.0.0:1812"',
    );
  }
  const [, bracketed, plain, portText = ''] = match;
  if (!/^\d{1,5}$/.test(portText) || Number(portText) > PORT_MAX) {
    return wrong(`the port must be a number from 1 to ${PORT_MAX}`);
  }
  const port = Number(portText);
  if (bracketed !== undefined) {
    return isIP(bracketed) === 6
      ? { ok: true, address: { host: bracketed, port } }
      : wrong(`there is no IPv6 address in the brackets`);
  }
  const host = plain ?? '';
  // What looks like numbers and dots must be an IPv4 address: "10.0.0.256" is a slip, not a host name.
  const fits = /^[\d.]+$/.test(host) ? isIP(host) === 4 : HOST_NAME.test(host);
  return fits ? { ok: true, address: { host, port } } : wrong('before the port stands an IP address or a host name');
}

/** As `parseListenAddress` reads it. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
