// ldapload: closed-loop LDAP load. Simple binds (RFC 4511 §4.2), each with the current TOTP of its user, one in flight on
// each connection, one thread.
//   gcc -O2 -o ldapload ldapload.c -lcrypto
//   -h host -p port -n users -f first user -u DN format -P prefix before the OTP -c connections -d seconds
//   -N binds in all -D digits -v result codes that are unusual -r users in scattered order (as real ones come)
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define DN_MAX 120      // so that a bind's lengths fit one octet, or 0x81 and one
#define PASSWORD_MAX 60 // likewise
#define BIND_RESPONSE 0x61
#define INVALID_CREDENTIALS 49
#define SILENCE 5 // seconds after which the server is taken for dead

static const char *host = "127.0.0.1", *prefix = "", *dn_format = "uid=bench%07d,ou=users,dc=example,dc=org";
static int port = 389, users = 100000, connections = 16, digits = 6, verbose = 0, first = 0;
static double duration = 5;
static long total = 0, stride = 1;

typedef struct {
  int fd;
  uint32_t message_id;
  double sent;
  uint8_t in[4096];
  int n;
  int waiting; // for the answer to a bind
} Connection;

static int put_length(uint8_t *b, int length) {
  if (length < 128) {
    b[0] = length;
    return 1;
  }
  b[0] = 0x81;
  b[1] = length;
  return 2;
}

static int send_bind(Connection *c, int user) {
  char dn[256], password[128], otp[16];
  int dn_len = snprintf(dn, sizeof dn, dn_format, user);
  totp(user, time(0), digits, otp);
  int password_len = snprintf(password, sizeof password, "%s%s", prefix, otp);
  if (dn_len > DN_MAX || password_len > PASSWORD_MAX) {
    fprintf(stderr, "ldapload: a DN has at most %d octets here, a password %d\n", DN_MAX, PASSWORD_MAX);
    exit(2);
  }
  uint8_t b[512];
  int bind_len = 3 + 2 + dn_len + 2 + password_len;
  int body_len = 2 + 4 + (bind_len < 128 ? 2 : 3) + bind_len;
  c->message_id = (c->message_id + 1) & 0x7fffffff;
  int n = 0;
  b[n++] = 0x30;
  n += put_length(b + n, body_len);
  b[n++] = 2;
  b[n++] = 4;
  for (int shift = 24; shift >= 0; shift -= 8)
    b[n++] = c->message_id >> shift;
  b[n++] = 0x60;
  n += put_length(b + n, bind_len);
  memcpy(b + n, (uint8_t[]){2, 1, 3}, 3); // version 3
  n += 3;
  b[n++] = 4;
  b[n++] = dn_len;
  memcpy(b + n, dn, dn_len);
  n += dn_len;
  b[n++] = 0x80;
  b[n++] = password_len;
  memcpy(b + n, password, password_len);
  n += password_len;
  c->sent = now();
  c->waiting = 1;
  return send(c->fd, b, n, MSG_NOSIGNAL) == n ? 0 : -1;
}

// The result code of the message that the buffer begins with; -1 where it is no BindResponse, -2 where it is not whole yet.
static int result_code(const Connection *c) {
  if (c->n < 2)
    return -2;
  int length = c->in[1], head = 2;
  if (length & 0x80) {
    int octets = length & 0x7f;
    if (c->n < 2 + octets)
      return -2;
    length = 0;
    for (int j = 0; j < octets; j++)
      length = length << 8 | c->in[2 + j];
    head = 2 + octets;
  }
  if (c->n < head + length)
    return -2;
  int p = head + 2 + c->in[head + 1]; // behind the message id
  int tag = c->in[p], inner = c->in[p + 1];
  p += 2 + (inner & 0x80 ? inner & 0x7f : 0);
  return tag == BIND_RESPONSE && c->in[p] == 0x0a ? c->in[p + 2] : -1;
}

static void options(int argc, char **argv) {
  for (int o; (o = getopt(argc, argv, "h:p:n:c:d:P:N:u:f:D:vr")) > 0;)
    switch (o) {
    case 'h': host = optarg; break;
    case 'p': port = atoi(optarg); break;
    case 'n': users = atoi(optarg); break;
    case 'c': connections = atoi(optarg); break;
    case 'd': duration = atof(optarg); break;
    case 'P': prefix = optarg; break;
    case 'N': total = atol(optarg); break;
    case 'u': dn_format = optarg; break;
    case 'f': first = atoi(optarg); break;
    case 'r': stride = SCATTER; break;
    case 'D': digits = atoi(optarg); break;
    case 'v': verbose = 1; break;
    default: exit(2);
    }
  if (users < 1 || connections < 1) {
    fprintf(stderr, "ldapload: at least one user and one connection\n");
    exit(2);
  }
}

static int open_connections(Connection *all) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &to.sin_addr) != 1) {
    fprintf(stderr, "ldapload: %s is no IPv4 address\n", host);
    exit(2);
  }
  int poll = epoll_create1(0);
  for (int i = 0; i < connections; i++) {
    all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(all[i].fd, (void *)&to, sizeof to)) {
      perror("ldapload: connect");
      exit(1);
    }
    int one = 1;
    setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &e);
  }
  return poll;
}

int main(int argc, char **argv) {
  options(argc, argv);
  end_on_signal();
  Connection *all = calloc(connections, sizeof(Connection));
  int poll = open_connections(all);
  long sent = 0, succeeded = 0, invalid = 0, other = 0, closed = 0;
  Latencies taken = latencies(10000000);
  int user = first, live = connections, pending = 0;
  double start = now(), last = start;
  for (int i = 0; i < connections && (!total || sent < total); i++) {
    send_bind(&all[i], user);
    user = next_user(user, first, users, stride);
    sent++;
    pending++;
  }
  struct epoll_event events[EVENTS];
  while (pending > 0 && live > 0) {
    int ready = epoll_wait(poll, events, EVENTS, 200);
    if (ready <= 0 && now() - last > SILENCE)
      break;
    for (int i = 0; i < ready; i++) {
      Connection *c = &all[events[i].data.u32];
      int r = recv(c->fd, c->in + c->n, sizeof c->in - c->n, 0);
      if (r <= 0) {
        if (r < 0 && (errno == EAGAIN || errno == EINTR))
          continue;
        close(c->fd);
        closed++;
        live--;
        pending -= c->waiting;
        continue;
      }
      c->n += r;
      int code = result_code(c);
      if (code == -2)
        continue;
      c->n = 0;
      if (code == 0)
        succeeded++;
      else if (code == INVALID_CREDENTIALS)
        invalid++;
      else {
        other++;
        if (verbose)
          fprintf(stderr, "code %d\n", code);
      }
      last = now();
      keep(&taken, last - c->sent);
      c->waiting = 0;
      if (interrupted || last - start >= duration || (total && sent >= total)) {
        pending--;
        continue;
      }
      if (send_bind(c, user)) {
        close(c->fd);
        closed++;
        live--;
        pending--;
      }
      user = next_user(user, first, users, stride);
      sent++;
    }
  }
  printf("success %ld invalidCredentials %ld other %ld closed %ld ", succeeded, invalid, other, closed);
  print_rates(&taken, last - start, succeeded, "binds");
  if (pending > 0)
    printf(", unanswered %d", pending);
  printf("\n");
  return 0;
}
