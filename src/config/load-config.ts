/**
 * sallyport.yaml and the environment become a finished Config: defaults filled in, paths absolute, the master key read.
 * Whatever is wrong with either is told at once, and then nothing is started.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Secret } from '../base/secret.js';
import type { Millis } from '../base/units.js';
import { type Environment, type Override, overrideAt, readEnvironment, withOverrides } from './environment.js';
import type { ListenAddress } from './listen-address.js';
import { type MasterKeyResult, parseMasterKey, readMasterKey, unreadable } from './master-key.js';
import type { Path, Problem } from './problem.js';
import { type ConfigFile, configSchema } from './schema.js';
import { checkAgainst, type Finding } from './schema-check.js';
import { inOrder, readYaml, type YamlSource } from './yaml-source.js';

/** A certificate chain and its key, as absolute paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Config {
  /** The file that it was read from, absolute. */
  readonly file: string;
  readonly database:
    | { readonly client: 'sqlite3'; readonly connection: { readonly filename: string } }
    | { readonly client: 'pg'; readonly connection: string };
  readonly masterKey: Secret;
  readonly radius: {
    /** Empty: the door is shut. So with every list of addresses. */
    readonly listen: readonly ListenAddress[];
    readonly accounting: readonly ListenAddress[];
    readonly rejectDelay: Millis;
    /** `tls` is null where no certificate was named and there is none at the default place. */
    readonly eap: { readonly tls: (TlsFiles & { readonly ca: string | null }) | null };
  };
  readonly ldap: {
    readonly listen: readonly ListenAddress[];
    readonly ldaps: readonly ListenAddress[];
    /** For StartTLS and ldaps; null as above, and then neither is offered. */
    readonly tls: TlsFiles | null;
    readonly requireTls: boolean;
    readonly baseDn: string;
    readonly rejectDelay: Millis;
  };
  readonly http: {
    readonly listen: ListenAddress;
    readonly tls: TlsFiles | null;
    readonly publicUrl: string | null;
  };
  readonly events: { readonly unknownLogins: 'shortened' | 'full' };
  readonly log: { readonly level: ConfigFile['log']['level'] };
}

export type ConfigProblem = Problem;

export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Where `init` puts the server's certificate, and where it is looked for when nothing else is said. */
const DEFAULT_CERTIFICATE = { cert: './tls/server.crt', key: './tls/server.key' } as const;

/** Loads the configuration at `path`, overridden by `env`. Problems call the file `shownAs`, as whoever asked wrote it. */
export function loadConfig(path: string, env: Environment, shownAs = path): ConfigResult {
  const file = resolve(path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return {
      ok: false,
      problems: [{ where: { kind: 'file', file: shownAs }, key: '', message: unreadable(shownAs, error) }],
    };
  }
  const read = readYaml(text, shownAs);
  const environment = readEnvironment(configSchema, env);
  if (!read.ok) return { ok: false, problems: [...read.problems, ...environment.problems] };

  // The key itself stands in its variable, so that is no key of the file; a problem with it is the variable's all the same.
  const masterKey: Override = { name: MASTER_KEY_VARIABLE, path: ['masterKeyFile'], value: undefined };
  const { overrides } = environment;
  const checked = checkAgainst(configSchema, withOverrides(read.source.root, overrides));
  if (!checked.ok) {
    const problems = checked.findings.map((finding) => problemOf(read.source, overrides, finding));
    return { ok: false, problems: [...inOrder(problems), ...environment.problems] };
  }

  const blamed = env[MASTER_KEY_VARIABLE] === undefined ? overrides : [masterKey, ...overrides];
  const builder = new ConfigBuilder(file, checked.value, env);
  const config = builder.build();
  const problems = builder.findings.map((finding) => problemOf(read.source, blamed, finding));
  if (config === null || problems.length > 0 || environment.problems.length > 0) {
    return { ok: false, problems: [...inOrder(problems), ...environment.problems] };
  }
  return { ok: true, config, warnings: builder.warnings.map((each) => problemOf(read.source, blamed, each)) };
}

/** A finding belongs to the variable that set the value, else to the file. */
function problemOf(source: YamlSource, overrides: readonly Override[], finding: Finding): Problem {
  const problem = source.problem(finding.path, finding.message, finding.about);
  const override = overrideAt(overrides, finding.path);
  return override === null ? problem : { ...problem, where: { kind: 'variable', name: override.name } };
}

const MASTER_KEY_VARIABLE = 'SALLYPORT_MASTER_KEY';

/** Makes paths absolute and looks at the files behind them, gathering what is wrong. */
class ConfigBuilder {
  readonly findings: Finding[] = [];
  readonly warnings: Finding[] = [];
  readonly #file: string;
  readonly #given: ConfigFile;
  readonly #env: Environment;

  constructor(file: string, given: ConfigFile, env: Environment) {
    this.#file = file;
    this.#given = given;
    this.#env = env;
  }

  build(): Config | null {
    const { database, radius, ldap, http, events, log } = this.#given;
    const masterKey = this.#masterKey();
    const eapTls = this.#certificate(['radius', 'eap', 'tls'], radius.eap.tls);
    const ldapTls = ldap.tls === undefined ? eapTls : this.#certificate(['ldap', 'tls'], ldap.tls);
    const httpTls = http.tls === undefined ? null : this.#certificate(['http', 'tls'], http.tls);
    if (ldapTls === null && ldap.ldaps.length > 0) this.#wrong(['ldap', 'ldaps'], 'needs a certificate: set ldap.tls');
    if (ldapTls === null && ldap.requireTls) this.#wrong(['ldap', 'requireTls'], 'needs a certificate: set ldap.tls');
    if (masterKey === null) return null;
    return {
      file: this.#file,
      database:
        database.client === 'pg'
          ? database
          : { client: 'sqlite3', connection: { filename: this.#path(database.connection.filename) } },
      masterKey,
      radius: {
        listen: radius.listen,
        accounting: radius.accounting,
        rejectDelay: radius.rejectDelay,
        eap: { tls: eapTls === null ? null : { ...eapTls, ca: this.#authority(radius.eap.tls?.ca) } },
      },
      ldap: { ...ldap, tls: ldapTls },
      http: { listen: http.listen, tls: httpTls, publicUrl: http.publicUrl ?? null },
      events: { unknownLogins: events.unknownLogins },
      log,
    };
  }

  #path(written: string): string {
    return resolve(dirname(this.#file), written);
  }

  #wrong(path: Path, message: string): void {
    this.findings.push({ path, about: 'value', message });
  }

  #masterKey(): Secret | null {
    const variable = this.#env[MASTER_KEY_VARIABLE];
    const { masterKeyFile } = this.#given;
    const path = ['masterKeyFile'];
    let read: MasterKeyResult;
    if (variable !== undefined) read = parseMasterKey(variable);
    else if (masterKeyFile !== undefined) read = readMasterKey(this.#path(masterKeyFile));
    else read = { ok: false, message: `is missing; name a file, or set ${MASTER_KEY_VARIABLE}` };
    if (!read.ok) {
      this.#wrong(path, read.message);
      return null;
    }
    if (read.warning !== null) this.warnings.push({ path, about: 'value', message: read.warning });
    return read.key;
  }

  /** The files that were named, which must be readable; else those at the default place, if they are there. */
  #certificate(path: Path, given: TlsFiles | undefined): TlsFiles | null {
    const { cert, key } = given ?? DEFAULT_CERTIFICATE;
    const files = { cert: this.#path(cert), key: this.#path(key) };
    if (given === undefined) return existsSync(files.cert) && existsSync(files.key) ? files : null;
    this.#readable([...path, 'cert'], files.cert);
    this.#readable([...path, 'key'], files.key);
    return files;
  }

  #authority(ca: string | undefined): string | null {
    if (ca === undefined) return null;
    const file = this.#path(ca);
    this.#readable(['radius', 'eap', 'tls', 'ca'], file);
    return file;
  }

  #readable(path: Path, file: string): void {
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      this.#wrong(path, unreadable(file, error));
    }
  }
}
