import { expect, test } from 'vitest';
import { environmentVariables, overrideAt, readEnvironment, withOverrides } from '../../src/config/environment.js';
import { configSchema } from '../../src/config/schema.js';

const read = (env: Record<string, string>) => readEnvironment(configSchema, env);

test('every key has a variable', () => {
  expect(environmentVariables(configSchema).map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'SALLYPORT_DATABASE_CLIENT',
      'SALLYPORT_DATABASE_CONNECTION',
      'SALLYPORT_DATABASE_CONNECTION_FILENAME',
      'SALLYPORT_MASTER_KEY_FILE',
      'SALLYPORT_RADIUS_LISTEN',
      'SALLYPORT_RADIUS_REJECT_DELAY',
      'SALLYPORT_RADIUS_EAP_TLS_CERT',
      'SALLYPORT_LDAP_BASE_DN',
      'SALLYPORT_LDAP_REQUIRE_TLS',
      'SALLYPORT_HTTP_LISTEN',
      'SALLYPORT_LOG_LEVEL',
    ]),
  );
});

test('a list is split at commas, a switch is true or false, all else is text', () => {
  const { overrides, problems } = read({
    SALLYPORT_RADIUS_LISTEN: '127.0.0.1:1812, [::1]:1812',
    SALLYPORT_RADIUS_ACCOUNTING: '',
    SALLYPORT_LDAP_REQUIRE_TLS: 'true',
    SALLYPORT_LOG_LEVEL: 'debug',
    HOME: '/root',
  });
  expect(problems).toEqual([]);
  const root = withOverrides({ log: { level: 'info' }, ldap: { baseDn: 'dc=x' } }, overrides);
  expect(root).toEqual({
    radius: { listen: ['127.0.0.1:1812', '[::1]:1812'], accounting: [] },
    ldap: { baseDn: 'dc=x', requireTls: true },
    log: { level: 'debug' },
  });
});

test('what it sets replaces a whole value of another kind: SQLite in the file, PostgreSQL in the environment', () => {
  const { overrides } = read({ SALLYPORT_DATABASE_CLIENT: 'pg', SALLYPORT_DATABASE_CONNECTION: 'postgres://db/x' });
  expect(withOverrides({ database: { client: 'sqlite3', connection: { filename: 'x' } } }, overrides)).toEqual({
    database: { client: 'pg', connection: 'postgres://db/x' },
  });
});

test('a variable that stands for no key is an error that names the nearest', () => {
  expect(read({ SALLYPORT_RADIUS_LISTN: 'x' }).problems).toEqual([
    {
      where: { kind: 'variable', name: 'SALLYPORT_RADIUS_LISTN' },
      key: '',
      message: 'no key has this variable; did you mean SALLYPORT_RADIUS_LISTEN?',
    },
  ]);
});

test('the variables of the command line and the master key stand for no key, and are none of its business', () => {
  expect(read({ SALLYPORT_CONFIG: 'x', SALLYPORT_MASTER_KEY: 'y' })).toEqual({ overrides: [], problems: [] });
});

test('what is wrong below an overridden key is the variable’s fault', () => {
  const { overrides } = read({ SALLYPORT_RADIUS_LISTEN: 'x' });
  expect(overrideAt(overrides, ['radius', 'listen', 0])?.name).toBe('SALLYPORT_RADIUS_LISTEN');
  expect(overrideAt(overrides, ['radius', 'accounting'])).toBeNull();
});
