/*
 * Stands between a program and the C library (LD_PRELOAD): fails its writes and syncs as a bad or full disk would, and shifts its clock, as
 * a small file of orders says that another process changes meanwhile. preload.ts has the other half of this layout.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct orders {
  _Atomic int32_t syncs_left;
  int32_t sync_errno;
  _Atomic int32_t writes_left;
  int32_t write_errno;
  _Atomic int32_t syncs_failed;
  _Atomic int32_t writes_failed;
  volatile int64_t clock_offset_ms;
  volatile int32_t sync_delay_ms;
};

static struct orders *orders;
/* Parts of the paths of files that are hit, each between two colons. */
static const char *files;

__attribute__((constructor)) static void map_orders(void) {
  const char *path = getenv("FAULTS_ORDERS");
  const char *given = getenv("FAULTS_FILES");
  if (path == NULL || given == NULL) return;
  /* PostgreSQL writes its titles over its environment. */
  files = strdup(given);
  if (files == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) orders = mapped;
  close(fd);
}

/* The function of that name which this library stands before. */
#define NEXT(name)                                                       \
  ({                                                                     \
    static __typeof__(&name) found;                                      \
    if (found == NULL) found = (__typeof__(found))dlsym(RTLD_NEXT, #name); \
    found;                                                               \
  })

static int is_hit(int fd) {
  char link[64], path[1024], part[1024];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  for (const char *from = files; *from != '\0';) {
    size_t size = strcspn(from, ":");
    if (size > 0 && size < sizeof part) {
      memcpy(part, from, size);
      part[size] = '\0';
      if (strstr(path, part) != NULL) return 1;
    }
    from += size + (from[size] == ':');
  }
  return 0;
}

/* Takes one of the failures that are left. */
static int takes(_Atomic int32_t *left, _Atomic int32_t *failed) {
  int32_t seen = atomic_load(left);
  while (seen > 0) {
    if (atomic_compare_exchange_weak(left, &seen, seen - 1)) {
      atomic_fetch_add(failed, 1);
      return 1;
    }
  }
  return 0;
}

static int sync_fails(int fd) {
  if (orders == NULL) return 0;
  if (orders->sync_delay_ms > 0 && is_hit(fd)) usleep((useconds_t)orders->sync_delay_ms * 1000);
  if (atomic_load(&orders->syncs_left) <= 0 || !is_hit(fd)) return 0;
  if (!takes(&orders->syncs_left, &orders->syncs_failed)) return 0;
  errno = orders->sync_errno;
  return 1;
}

static int write_fails(int fd) {
  if (orders == NULL || atomic_load(&orders->writes_left) <= 0 || !is_hit(fd)) return 0;
  return takes(&orders->writes_left, &orders->writes_failed);
}

int fsync(int fd) {
  return sync_fails(fd) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd) {
  return sync_fails(fd) ? -1 : NEXT(fdatasync)(fd);
}

/* Half of what was to be written is in the file when the write fails. */
#define TORN_PWRITE(name, offset_type)                                        \
  ssize_t name(int fd, const void *from, size_t size, offset_type at) {       \
    if (!write_fails(fd)) return NEXT(name)(fd, from, size, at);              \
    int cause = orders->write_errno;                                          \
    if (size > 1) NEXT(name)(fd, from, size / 2, at);                         \
    errno = cause;                                                            \
    return -1;                                                                \
  }
TORN_PWRITE(pwrite, off_t)
TORN_PWRITE(pwrite64, off64_t)

ssize_t pwritev(int fd, const struct iovec *from, int count, off_t at) {
  if (!write_fails(fd)) return NEXT(pwritev)(fd, from, count, at);
  errno = orders->write_errno;
  return -1;
}

int posix_fallocate(int fd, off_t at, off_t size) {
  return write_fails(fd) ? orders->write_errno : NEXT(posix_fallocate)(fd, at, size);
}

static int64_t offset_ms(void) { return orders == NULL ? 0 : orders->clock_offset_ms; }

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = NEXT(clock_gettime)(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t ns = now->tv_nsec + (offset_ms() % 1000) * 1000000;
    now->tv_sec += offset_ms() / 1000 + (ns >= 1000000000) - (ns < 0);
    now->tv_nsec = ns - 1000000000 * ((ns >= 1000000000) - (ns < 0));
  }
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int result = NEXT(gettimeofday)(now, zone);
  if (result == 0) {
    int64_t us = now->tv_usec + (offset_ms() % 1000) * 1000;
    now->tv_sec += offset_ms() / 1000 + (us >= 1000000) - (us < 0);
    now->tv_usec = us - 1000000 * ((us >= 1000000) - (us < 0));
  }
  return result;
}

time_t time(time_t *out) {
  time_t now = NEXT(time)(NULL) + offset_ms() / 1000;
  if (out != NULL) *out = now;
  return now;
}
