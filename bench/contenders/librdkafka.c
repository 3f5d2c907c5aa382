/*
 * librdkafka as the producer bench's contender: idempotent, acks from all replicas, delivery reports counted one by one.
 * The bench compiles it against whatever librdkafka it finds; the few prototypes it needs stand here, since the Python
 * wheel brings the library without its header. They are part of its stable ABI.
 * @see https://github.com/confluentinc/librdkafka/blob/master/src/rdkafka.h
 *
 * Arguments: brokers topic partitions codec lingerMs batchBytes ratePerS(0: flat out) warmUpMs measureMs recordsFile
 * Output: "window" when measuring begins, then one line of JSON.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct {
  int err;
  rd_kafka_topic_t *topic;
  int32_t partition;
  void *payload;
  size_t length;
  void *key;
  size_t key_length;
  int64_t offset;
  void *opaque;
} rd_kafka_message_t;

enum { TYPE_PRODUCER = 0, FLAG_COPY = 2, ERR_QUEUE_FULL = -184 };

rd_kafka_conf_t *rd_kafka_conf_new(void);
int rd_kafka_conf_set(rd_kafka_conf_t *, const char *, const char *, char *, size_t);
void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t *,
                                 void (*)(rd_kafka_t *, const rd_kafka_message_t *, void *));
rd_kafka_t *rd_kafka_new(int, rd_kafka_conf_t *, char *, size_t);
rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *, const char *, void *);
int rd_kafka_produce(rd_kafka_topic_t *, int32_t, int, void *, size_t, const void *, size_t, void *);
int rd_kafka_last_error(void);
int rd_kafka_poll(rd_kafka_t *, int);
int rd_kafka_flush(rd_kafka_t *, int);
const char *rd_kafka_version_str(void);

static int64_t acknowledged;
static int64_t failed;

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client;
  (void)opaque;
  if (message->err == 0) acknowledged++;
  else failed++;
}

static int64_t now_micros(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int64_t cpu_micros(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "librdkafka contender: %s: %s\n", what, why);
  exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char error[512];
  if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != 0) fail(name, error);
}

/* The bench's records: four 32-bit counts, the values one after the other, then the keys. */
static struct {
  uint32_t count, value_bytes, key_count, key_bytes;
  char *values, *keys;
} records;

static void read_records(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || fread(&records, sizeof(uint32_t), 4, file) != 4) fail(path, "cannot be read");
  size_t values = (size_t)records.count * records.value_bytes;
  size_t keys = (size_t)records.key_count * records.key_bytes;
  records.values = malloc(values);
  records.keys = malloc(keys);
  if (fread(records.values, 1, values, file) != values || fread(records.keys, 1, keys, file) != keys)
    fail(path, "is too short");
  fclose(file);
}

int main(int argc, char **argv) {
  if (argc != 11) fail("usage", "see the head of librdkafka.c");
  const int32_t partitions = atoi(argv[3]);
  const int64_t rate = atoll(argv[7]);
  const int64_t warm_up = atoll(argv[8]) * 1000, measure = atoll(argv[9]) * 1000;
  read_records(argv[10]);

  char error[512];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", argv[1]);
  set(conf, "enable.idempotence", "true");
  set(conf, "acks", "all");
  set(conf, "compression.codec", argv[4]);
  set(conf, "linger.ms", argv[5]);
  set(conf, "batch.size", argv[6]);
  set(conf, "batch.num.messages", "100000"); /* so that the bytes decide */
  set(conf, "queue.buffering.max.messages", "200000");
  rd_kafka_conf_set_dr_msg_cb(conf, on_report);
  rd_kafka_t *client = rd_kafka_new(TYPE_PRODUCER, conf, error, sizeof error);
  if (client == NULL) fail("rd_kafka_new", error);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, argv[2], NULL);

  uint64_t sent = 0;
  uint32_t value = 0, key = 0;
  int64_t start = now_micros(), window_start = 0, window_cpu = 0, window_acknowledged = 0;
  for (;;) {
    int64_t now = now_micros();
    if (window_start == 0 && now - start >= warm_up) {
      window_start = now;
      window_cpu = cpu_micros();
      window_acknowledged = acknowledged;
      printf("window\n");
      fflush(stdout);
    } else if (window_start != 0 && now - window_start >= measure) {
      printf("{\"records\":%lld,\"cpuMicros\":%lld,\"elapsedMs\":%.3f,", (long long)(acknowledged - window_acknowledged),
             (long long)(cpu_micros() - window_cpu), (double)(now - window_start) / 1000);
      break;
    }
    int64_t owed = rate == 0 ? 256 : (now - start) * rate / 1000000 - (int64_t)sent;
    while (owed > 0) {
      int outcome = rd_kafka_produce(topic, (int32_t)(key % (uint32_t)partitions), FLAG_COPY,
                                     records.values + (size_t)value * records.value_bytes, records.value_bytes,
                                     records.keys + (size_t)key * records.key_bytes, records.key_bytes, NULL);
      if (outcome != 0) {
        if (rd_kafka_last_error() != ERR_QUEUE_FULL) fail("rd_kafka_produce", "refused the record");
        break;
      }
      owed--;
      sent++;
      if (++value == records.count) value = 0;
      if (++key == records.key_count) key = 0;
    }
    rd_kafka_poll(client, rate == 0 && owed > 0 ? 10 : 0);
    if (rate != 0) {
      struct timespec tick = {0, 1000000};
      nanosleep(&tick, NULL);
    }
  }
  rd_kafka_flush(client, 5000);
  printf("\"acknowledged\":%lld,\"failed\":%lld,\"version\":\"%s\"}\n", (long long)acknowledged, (long long)failed,
         rd_kafka_version_str());
  /* The process ends here: what the library still holds goes with it. */
  return 0;
}
