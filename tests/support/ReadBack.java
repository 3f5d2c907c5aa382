import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a topic with Java's consumer, from its beginning to where it ended when the reading began; writes one JSON object
 * a record, with bytes in base64. Usage: java -cp 'LIBS/*' ReadBack.java BROKERS TOPIC
 */
final class ReadBack {
  private static final long IDLE_MILLIS_MAX = 20_000;

  public static void main(String[] args) {
    String topic = args[1];
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", args[0],
        "enable.auto.commit", false,
        "check.crcs", true,
        // A broker hands out a batch of any size; the consumer must be willing to take it.
        "max.partition.fetch.bytes", 16 << 20);
    var bytes = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<byte[], byte[]>(settings, bytes, bytes)) {
      List<TopicPartition> places = consumer.partitionsFor(topic).stream()
          .map(info -> new TopicPartition(topic, info.partition()))
          .collect(Collectors.toList());
      consumer.assign(places);
      consumer.seekToBeginning(places);
      Map<TopicPartition, Long> ends = consumer.endOffsets(places);
      long lastSeen = System.currentTimeMillis();
      while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        var records = consumer.poll(Duration.ofMillis(200));
        if (!records.isEmpty()) lastSeen = System.currentTimeMillis();
        else if (System.currentTimeMillis() - lastSeen > IDLE_MILLIS_MAX)
          throw new IllegalStateException("nothing came for " + IDLE_MILLIS_MAX + " ms, ends: " + ends);
        var lines = new StringBuilder();
        for (var record : records) lines.append(line(record)).append('\n');
        System.out.print(lines);
      }
    }
  }

  private static String line(ConsumerRecord<byte[], byte[]> record) {
    String headers = StreamSupport.stream(record.headers().spliterator(), false)
        .map(ReadBack::pair)
        .collect(Collectors.joining(",", "[", "]"));
    return String.format(
        "{\"partition\":%d,\"offset\":%d,\"timestamp\":%d,\"key\":%s,\"value\":%s,\"headers\":%s}",
        record.partition(), record.offset(), record.timestamp(), text(record.key()), text(record.value()), headers);
  }

  private static String pair(Header header) {
    return "[" + text(header.key().getBytes(java.nio.charset.StandardCharsets.UTF_8)) + "," + text(header.value()) + "]";
  }

  private static String text(byte[] bytes) {
    return "\"" + Base64.getEncoder().encodeToString(bytes) + "\"";
  }
}
