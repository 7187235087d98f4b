/*
 * Hints of a broker about new leaders of partitions (KIP-951) are not taken.
 *
 * librdkafka 2.5 to 2.14 counts the hints of a fetch before it leaves out those that say "no leader
 * yet", and reads as many as it counted: what lies behind the last is memory of anything, and the
 * process dies of it (librdkafka, issue 5280). A broker that comes back with several partitions
 * answers so. The linker puts this function in the place of librdkafka's (see build.rs): the
 * metadata that librdkafka asks for after the same error names the leaders, some milliseconds later.
 */

/* `RD_KAFKA_OP_RES_HANDLED`: the operation, with all that it holds, is given back by the caller. */
enum { HANDLED = 1 };

int __wrap_rd_kafka_metadata_update_op(void *client, void *hints) {
    (void)client;
    (void)hints;
    return HANDLED;
}
