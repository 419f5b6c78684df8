/** Places to listen at, as `sallyport.yaml` writes them: `0.0.0.0:389`, `[::1]:636`. */
import { isIP } from 'node:net';

export interface Endpoint {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
}

const MAX_PORT = 65_535;

/** Reads `address:port`, or null where it is not one. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return address === undefined || isIP(address) === 0 || port > MAX_PORT ? null : { address, port };
}

/** `address:port` as one writes it, IPv6 in brackets. */
export const formatEndpoint = ({ address, port }: Endpoint): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
