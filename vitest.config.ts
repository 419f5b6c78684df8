import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/postgres.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['src/access/**', 'src/otp/**'],
      reporter: ['text-summary', 'json-summary'],
      // The rules of a decision and the arithmetic of codes: a branch that no test takes is a rule that nobody has seen hold.
      thresholds: { 'src/access/**': { branches: 100 }, 'src/otp/**': { branches: 100 } },
    },
  },
});
