/*
 * Loaded before the C library (LD_PRELOAD): fails writes and syncs like a bad or full disk, and shifts the clock, as directed by a small
 * memory-mapped control file that another process writes. preload.ts has the same layout.
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

struct control {
  _Atomic int32_t syncs_left;
  int32_t sync_errno;
  _Atomic int32_t writes_left;
  int32_t write_errno;
  _Atomic int32_t syncs_failed;
  _Atomic int32_t writes_failed;
  volatile int64_t clock_offset_ms;
  volatile int32_t sync_delay_ms;
};

static struct control *control;
/* Parts of the paths of affected files, each between two colons. */
static const char *files;

__attribute__((constructor)) static void map_control(void) {
  const char *path = getenv("FAULTS_CONTROL");
  const char *given = getenv("FAULTS_FILES");
  if (path == NULL || given == NULL) return;
  /* PostgreSQL overwrites its environment with process titles, so the value is copied. */
  files = strdup(given);
  if (files == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(fd);
}

/* The next definition of a function, in the C library. */
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

/* Takes one of the remaining failures. */
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
  if (control == NULL) return 0;
  if (control->sync_delay_ms > 0 && is_hit(fd)) usleep((useconds_t)control->sync_delay_ms * 1000);
  if (atomic_load(&control->syncs_left) <= 0 || !is_hit(fd)) return 0;
  if (!takes(&control->syncs_left, &control->syncs_failed)) return 0;
  errno = control->sync_errno;
  return 1;
}

static int write_fails(int fd) {
  if (control == NULL || atomic_load(&control->writes_left) <= 0 || !is_hit(fd)) return 0;
  return takes(&control->writes_left, &control->writes_failed);
}

int fsync(int fd) {
  return sync_fails(fd) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd) {
  return sync_fails(fd) ? -1 : NEXT(fdatasync)(fd);
}

/* The write fails after half of its bytes. */
#define TORN_PWRITE(name, offset_type)                                        \
  ssize_t name(int fd, const void *from, size_t size, offset_type at) {       \
    if (!write_fails(fd)) return NEXT(name)(fd, from, size, at);              \
    int cause = control->write_errno;                                          \
    if (size > 1) NEXT(name)(fd, from, size / 2, at);                         \
    errno = cause;                                                            \
    return -1;                                                                \
  }
TORN_PWRITE(pwrite, off_t)
TORN_PWRITE(pwrite64, off64_t)

ssize_t pwritev(int fd, const struct iovec *from, int count, off_t at) {
  if (!write_fails(fd)) return NEXT(pwritev)(fd, from, count, at);
  errno = control->write_errno;
  return -1;
}

int posix_fallocate(int fd, off_t at, off_t size) {
  return write_fails(fd) ? control->write_errno : NEXT(posix_fallocate)(fd, at, size);
}

static int64_t offset_ms(void) { return control == NULL ? 0 : control->clock_offset_ms; }

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
