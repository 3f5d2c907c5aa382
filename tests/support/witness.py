"""Reads whole topics with a client and an Avro decoder that are not ours; writes one JSON object a record.

Usage: witness.py BROKERS SCHEMAS TOPIC...
SCHEMAS is a folder with ids.json, or the URL of a registry, which is then asked for each id.
It reads every partition from its beginning to where it ended when the reading began.
"""

import base64
import glob
import json
import os
import struct
import sys
import time
import urllib.request

import confluent_kafka
import fastavro

IDLE_SECONDS_MAX = 20


def schemas_by_id(folder):
    with open(os.path.join(folder, "ids.json"), encoding="utf-8") as file:
        ids = json.load(file)
    found = {}
    for path in glob.glob(os.path.join(folder, "*.avsc")):
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        found[ids[schema["name"]]] = (schema["name"], fastavro.parse_schema(bare(schema)))
    return found


class RegistrySchemas(dict):
    """The schemas of a registry by id, each fetched when it is met for the first time."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def __missing__(self, schema_id):
        with urllib.request.urlopen(f"{self.url}/schemas/ids/{schema_id}", timeout=20) as answer:
            schema = json.loads(json.load(answer)["schema"])
        self[schema_id] = (schema["name"], fastavro.parse_schema(bare(schema)))
        return self[schema_id]


def bare(schema):
    """Without logical types: times stay the integers that were written."""
    if isinstance(schema, dict):
        return {name: bare(part) for name, part in schema.items() if name != "logicalType"}
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    return schema


class Reader:
    """Avro behind a Confluent header, or JSON."""

    def __init__(self, schemas):
        self.schemas = schemas

    def read(self, value):
        if value[:1] != b"\x00":
            return None, json.loads(value)
        (schema_id,) = struct.unpack(">i", value[1:5])
        name, schema = self.schemas[schema_id]
        body = Body(value[5:])
        decoded = fastavro.schemaless_reader(body, schema, None)
        if body.left():
            raise ValueError(f"{body.left()} bytes behind a {name}")
        return name, decoded


class Body:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def read(self, count=-1):
        end = len(self.data) if count < 0 else self.at + count
        piece = self.data[self.at : end]
        self.at += len(piece)
        return piece

    def left(self):
        return len(self.data) - self.at


def main():
    brokers, schemas, *topics = sys.argv[1:]
    is_registry = schemas.startswith(("http://", "https://"))
    reader = Reader(RegistrySchemas(schemas) if is_registry else schemas_by_id(schemas))
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "witness",
            "enable.auto.commit": False,
            "check.crcs": True,
            "enable.partition.eof": True,
        }
    )
    known = consumer.list_topics(timeout=20).topics
    left = {}
    for topic in topics:
        for partition in known[topic].partitions:
            place = confluent_kafka.TopicPartition(topic, partition)
            low, high = consumer.get_watermark_offsets(place, timeout=20)
            if high > low:
                left[(topic, partition)] = (low, high)
    consumer.assign([confluent_kafka.TopicPartition(t, p, low) for (t, p), (low, _) in left.items()])
    last_seen = time.monotonic()
    while left:
        # It waits for the full number or the whole time, hence a short one.
        messages = consumer.consume(1000, timeout=0.05)
        if messages:
            last_seen = time.monotonic()
        elif time.monotonic() - last_seen > IDLE_SECONDS_MAX:
            raise SystemExit(f"nothing came within {IDLE_SECONDS_MAX} s, still to be read: {left}")
        for message in messages:
            place = (message.topic(), message.partition())
            if message.error():
                if message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    left.pop(place, None)
                    continue
                raise SystemExit(str(message.error()))
            if place not in left:
                continue
            schema, value = reader.read(message.value())
            line = {
                "topic": place[0],
                "partition": place[1],
                "offset": message.offset(),
                "key": message.key().decode(),
                "timestamp": message.timestamp()[1],
                "schema": schema,
                "value": value,
                "bytes": base64.b64encode(message.value()).decode(),
            }
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
            if message.offset() + 1 >= left[place][1]:
                del left[place]
    consumer.close()


main()
