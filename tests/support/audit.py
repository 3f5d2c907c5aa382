"""Reads a topic with a client that is not ours and judges it against what was written; prints one JSON object.

Usage: audit.py BROKERS TOPIC COUNT
Records are numbered from 0 to COUNT - 1 over all partitions. Value: number (u32 LE), time in ms (u64 LE), then padding of
a length and a byte that follow from the number; key: `key-` and a number. See producer-run.ts, which writes them.
"""

import json
import struct
import sys
import time

import confluent_kafka

IDLE_SECONDS_MAX = 30
EXAMPLES_MAX = 5
HEAD = struct.Struct("<IQ")


def padding(number):
    return bytes([number & 0xFF]) * (20 + number * 7 % 140)


def ends(consumer, place):
    """A leader that was elected just now does not know its own end yet."""
    deadline = time.monotonic() + IDLE_SECONDS_MAX
    while True:
        try:
            return consumer.get_watermark_offsets(place, timeout=10)
        except confluent_kafka.KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def main():
    brokers, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "audit",
            "enable.auto.commit": False,
            "check.crcs": True,
            "enable.partition.eof": True,
            "fetch.message.max.bytes": 8388608,
        }
    )
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    left, places = set(), []
    for partition in partitions:
        place = confluent_kafka.TopicPartition(topic, partition)
        low, high = ends(consumer, place)
        if high > low:
            left.add(partition)
            places.append(confluent_kafka.TopicPartition(topic, partition, low))
    seen = bytearray(count)
    last = {partition: (-1, -1) for partition in partitions}
    found = {"records": 0, "duplicated": 0, "misordered": 0, "damaged": 0, "foreign": 0}
    examples = []

    def fault(kind, text):
        found[kind] += 1
        if len(examples) < EXAMPLES_MAX:
            examples.append(f"{kind}: {text}")

    consumer.assign(places)
    last_seen = time.monotonic()
    while left:
        messages = consumer.consume(5000, timeout=0.05)
        if messages:
            last_seen = time.monotonic()
        elif time.monotonic() - last_seen > IDLE_SECONDS_MAX:
            raise SystemExit(f"nothing came within {IDLE_SECONDS_MAX} s, still to be read: {left}")
        for message in messages:
            error = message.error()
            if error:
                if error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    left.discard(message.partition())
                    continue
                raise SystemExit(str(error))
            partition, offset, value = message.partition(), message.offset(), message.value()
            found["records"] += 1
            number, milliseconds = HEAD.unpack_from(value)
            last_number, last_offset = last[partition]
            where = f"{number} at {partition}/{offset}"
            if number >= count:
                fault("foreign", where)
                continue
            # Read twice would not be written twice.
            if offset <= last_offset:
                raise SystemExit(f"offset {offset} of partition {partition} came after {last_offset}")
            if seen[number]:
                fault("duplicated", where)
            elif number < last_number:
                fault("misordered", f"{where} after {last_number}")
            seen[number] = 1
            last[partition] = (max(number, last_number), offset)
            if value[HEAD.size :] != padding(number) or message.timestamp()[1] != milliseconds:
                fault("damaged", where)
    consumer.close()
    lost = count - sum(seen)
    if lost:
        examples.append(f"lost: {seen.index(0)} is the first")
    print(json.dumps({**found, "lost": lost, "examples": examples}))


main()
