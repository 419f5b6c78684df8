// What the two load generators share: the clock, the users' codes, and the line of figures at the end.
// User n has the TOTP key SHA-1("bench-seed-<n>"), SHA-1, 30 s (RFC 6238). users-csv.mjs and the peers' scripts make the same.
#ifndef LOAD_H
#define LOAD_H
#include <openssl/sha.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
// SHA1() and MD5() in one call are deprecated since OpenSSL 3, and several times faster than what replaces them.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// A prime: in steps of it every user comes once in a round, and neighbours never one after the other.
#define SCATTER 104729
#define PERIOD 30

static volatile sig_atomic_t interrupted = 0;

static inline void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

// SIGINT and SIGTERM end the load early; what was measured is printed all the same.
static inline void end_on_signal(void) {
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
}

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

// RFC 2104, for keys of at most 64 octets and data of at most 64.
static inline void hmac_sha1(const uint8_t *key, size_t key_len, const uint8_t *data, size_t n, uint8_t *out) {
  uint8_t inner[64 + 64], outer[64 + 20];
  memset(inner, 0x36, 64);
  memset(outer, 0x5c, 64);
  for (size_t i = 0; i < key_len; i++) {
    inner[i] ^= key[i];
    outer[i] ^= key[i];
  }
  memcpy(inner + 64, data, n);
  SHA1(inner, 64 + n, outer + 64);
  SHA1(outer, sizeof outer, out);
}

// The code of user n at time t, `digits` long. `out` has room for 16.
static inline void totp(int n, time_t t, int digits, char *out) {
  uint8_t key[20], mac[20], counter[8];
  char seed[64];
  int len = snprintf(seed, sizeof seed, "bench-seed-%d", n);
  SHA1((uint8_t *)seed, len, key);
  uint64_t step = t / PERIOD;
  for (int j = 7; j >= 0; j--) {
    counter[j] = step & 255;
    step >>= 8;
  }
  hmac_sha1(key, sizeof key, counter, sizeof counter, mac);
  int o = mac[19] & 15; // RFC 4226 §5.3
  uint32_t value = ((mac[o] & 127u) << 24) | (mac[o + 1] << 16) | (mac[o + 2] << 8) | mac[o + 3];
  uint32_t modulus = 1;
  for (int j = 0; j < digits; j++)
    modulus *= 10;
  snprintf(out, 16, "%0*u", digits, value % modulus);
}

static inline int next_user(int user, int first, int users, long stride) {
  return (int)(((long)user - first + stride) % users) + first;
}

static inline int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

// Latencies in seconds, each answer's; kept up to a bound that no run here comes near.
typedef struct {
  double *seconds;
  long n, max;
} Latencies;

static inline Latencies latencies(long max) { return (Latencies){malloc(sizeof(double) * max), 0, max}; }

static inline void keep(Latencies *l, double seconds) {
  if (l->n < l->max)
    l->seconds[l->n++] = seconds;
}

static inline void print_rates(Latencies *l, double elapsed, long good, const char *good_name) {
  qsort(l->seconds, l->n, sizeof(double), by_value);
  double p50 = l->n ? l->seconds[l->n / 2] : 0, p99 = l->n ? l->seconds[(long)(l->n * .99)] : 0;
  double max = l->n ? l->seconds[l->n - 1] : 0;
  if (elapsed <= 0)
    elapsed = 1e-9; // nothing was answered
  printf("in %.2fs: %.0f answers/s, %.0f %s/s; latency ms p50 %.2f p99 %.2f max %.2f", elapsed, l->n / elapsed,
         good / elapsed, good_name, p50 * 1e3, p99 * 1e3, max * 1e3);
}
#endif
