"""What readers send while Kafka is away: on disk before it is acknowledged, sent on when Kafka is back."""
