// radload: closed-loop RADIUS load. PAP Access-Requests with Message-Authenticator, each with the current TOTP of its
// user, WINDOW in flight, one thread; every answer's authenticator is verified (RFC 2865 §3).
//   gcc -O2 -o radload radload.c -lcrypto
//   -h host -p port -s secret -n users -f first user -u name format -P prefix before the OTP -w window -d seconds
//   -N requests in all -R requests a second at most -T timeout s -M no Message-Authenticator -D digits
//   -r users in scattered order (as real ones come)
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 64
#define IDS 256 // RFC 2865 §3: an identifier is one octet, so a socket has so many requests in flight
#define SLOTS (SOCKETS * IDS)
#define PACKET_MAX 4096

static const char *secret = "testing123", *host = "127.0.0.1", *prefix = "", *name_format = "bench%07d";
static int port = 1812, users = 100000, window = 64, digits = 6, sign = 1, first = 0;
static double duration = 5, timeout = 3, rate = 0;
static long total = 0, stride = 1;

typedef struct {
  double sent;
  uint8_t authenticator[16];
  uint8_t busy;
} Slot;

static int sockets[SOCKETS];
static Slot slots[SOCKETS][IDS];
// A ring of the socket and identifier pairs that are free, the one free for longest first.
static int ring[SLOTS], ring_head = 0, ring_tail = 0, ring_count = 0;

static void put_free(int slot) {
  ring[ring_tail] = slot;
  ring_tail = (ring_tail + 1) % SLOTS;
  ring_count++;
}

static int take_free(void) {
  int slot = ring[ring_head];
  ring_head = (ring_head + 1) % SLOTS;
  ring_count--;
  return slot;
}

// RFC 2865 §5.2. Returns the length of the attribute written at `out`.
static int put_password(uint8_t *out, const char *password, int len, const uint8_t *authenticator) {
  int padded = (len + 15) / 16 * 16;
  uint8_t plain[144] = {0}, buffer[256], digest[16];
  memcpy(plain, password, len);
  size_t secret_len = strlen(secret);
  memcpy(buffer, secret, secret_len);
  out[0] = 2;
  out[1] = padded + 2;
  const uint8_t *previous = authenticator;
  for (int k = 0; k < padded; k += 16) {
    memcpy(buffer + secret_len, previous, 16);
    MD5(buffer, secret_len + 16, digest);
    for (int j = 0; j < 16; j++)
      out[2 + k + j] = plain[k + j] ^ digest[j];
    previous = out + 2 + k;
  }
  return 2 + padded;
}

static int build(uint8_t *p, int id, int user, Slot *slot) {
  p[0] = 1;
  p[1] = id;
  for (int i = 0; i < 16; i += 4) {
    uint32_t r = rand() ^ ((uint32_t)rand() << 16);
    memcpy(slot->authenticator + i, &r, 4);
  }
  memcpy(p + 4, slot->authenticator, 16);
  int n = 20;
  if (sign) {
    p[n] = 80;
    p[n + 1] = 18;
    memset(p + n + 2, 0, 16); // RFC 3579 §3.2: zeroed while the MAC is computed
    n += 18;
  }
  char name[64];
  int name_len = snprintf(name, sizeof name, name_format, user);
  p[n] = 1;
  p[n + 1] = name_len + 2;
  memcpy(p + n + 2, name, name_len);
  n += 2 + name_len;
  char password[128], otp[16];
  totp(user, time(0), digits, otp);
  int password_len = snprintf(password, sizeof password, "%s%s", prefix, otp);
  n += put_password(p + n, password, password_len, slot->authenticator);
  memcpy(p + n, (uint8_t[]){4, 6, 127, 0, 0, 1}, 6); // NAS-IP-Address
  n += 6;
  p[2] = n >> 8;
  p[3] = n & 255;
  if (sign) {
    uint8_t mac[16];
    unsigned mac_len;
    HMAC(EVP_md5(), secret, strlen(secret), p, n, mac, &mac_len);
    memcpy(p + 22, mac, 16);
  }
  return n;
}

// The Response Authenticator is an MD5 over the answer with the request's authenticator in its place, and the secret.
static int authentic(uint8_t *answer, int received, const Slot *slot) {
  uint8_t digest[16], claimed[16];
  int len = (answer[2] << 8) | answer[3];
  size_t secret_len = strlen(secret);
  if (len < 20 || len > received || len + secret_len > PACKET_MAX)
    return 0;
  memcpy(claimed, answer + 4, 16);
  memcpy(answer + 4, slot->authenticator, 16);
  memcpy(answer + len, secret, secret_len);
  MD5(answer, len + secret_len, digest);
  return memcmp(digest, claimed, 16) == 0;
}

static void options(int argc, char **argv) {
  for (int o; (o = getopt(argc, argv, "h:p:s:n:w:d:P:N:R:u:f:MD:T:r")) > 0;)
    switch (o) {
    case 'h': host = optarg; break;
    case 'p': port = atoi(optarg); break;
    case 's': secret = optarg; break;
    case 'n': users = atoi(optarg); break;
    case 'w': window = atoi(optarg); break;
    case 'd': duration = atof(optarg); break;
    case 'P': prefix = optarg; break;
    case 'N': total = atol(optarg); break;
    case 'R': rate = atof(optarg); break;
    case 'u': name_format = optarg; break;
    case 'f': first = atoi(optarg); break;
    case 'M': sign = 0; break;
    case 'r': stride = SCATTER; break;
    case 'D': digits = atoi(optarg); break;
    case 'T': timeout = atof(optarg); break;
    default: exit(2);
    }
  if (users < 1 || window < 1 || strlen(secret) > 200) {
    fprintf(stderr, "radload: at least one user and one in flight, and a secret of at most 200 octets\n");
    exit(2);
  }
}

static int open_sockets(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &to.sin_addr) != 1) {
    fprintf(stderr, "radload: %s is no IPv4 address\n", host);
    exit(2);
  }
  int poll = epoll_create1(0);
  for (int i = 0; i < SOCKETS; i++) {
    sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int octets = 4 << 20;
    setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    connect(sockets[i], (void *)&to, sizeof to);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(poll, EPOLL_CTL_ADD, sockets[i], &e);
  }
  return poll;
}

int main(int argc, char **argv) {
  options(argc, argv);
  end_on_signal();
  srand(getpid());
  int poll = open_sockets();
  for (int id = 0; id < IDS; id++)
    for (int i = 0; i < SOCKETS; i++)
      put_free(i * IDS + id);

  long sent = 0, accepted = 0, rejected = 0, other = 0, timeouts = 0, bad = 0;
  Latencies all = latencies(20000000);
  int in_flight = 0, user = first, stop = 0;
  double start = now(), last = start, swept = 0;
  struct epoll_event events[SOCKETS];
  uint8_t packet[PACKET_MAX];
  for (;;) {
    double t = now();
    if (interrupted || t - start > duration || (total && sent >= total))
      stop = 1;
    if (stop && (in_flight == 0 || t - last > timeout + 1))
      break;
    while (!stop && in_flight < window && ring_count > 0 && (!total || sent < total) &&
           (rate <= 0 || sent <= (t - start) * rate)) {
      int k = take_free(), s = k / IDS, id = k % IDS;
      Slot *slot = &slots[s][id];
      int n = build(packet, id, user, slot);
      user = next_user(user, first, users, stride);
      slot->sent = now();
      slot->busy = 1;
      (void)!send(sockets[s], packet, n, 0); // what could not be sent is a timeout
      sent++;
      in_flight++;
    }
    int ready = epoll_wait(poll, events, SOCKETS, rate > 0 ? 1 : 50);
    for (int i = 0; i < ready; i++) {
      int s = events[i].data.u32;
      for (;;) {
        int received = recv(sockets[s], packet, PACKET_MAX, 0);
        if (received < 20)
          break;
        int id = packet[1];
        Slot *slot = &slots[s][id];
        if (!slot->busy)
          continue; // an answer after its timeout
        if (!authentic(packet, received, slot)) {
          bad++;
          continue;
        }
        last = now();
        keep(&all, last - slot->sent);
        slot->busy = 0;
        in_flight--;
        put_free(s * IDS + id);
        if (packet[0] == 2)
          accepted++;
        else if (packet[0] == 3)
          rejected++;
        else
          other++;
      }
    }
    if (now() - swept > 0.2) {
      swept = now();
      for (int k = 0; k < SLOTS; k++) {
        Slot *slot = &slots[k / IDS][k % IDS];
        if (slot->busy && swept - slot->sent > timeout) {
          slot->busy = 0;
          in_flight--;
          timeouts++;
          put_free(k);
        }
      }
    }
  }
  printf("sent %ld accept %ld reject %ld other %ld timeout %ld badauth %ld ", sent, accepted, rejected, other, timeouts, bad);
  print_rates(&all, last - start, accepted, "accepts");
  printf("\n");
  return 0;
}
