# The hub and its banks in one image. Built with the `dist` profile: fat LTO, one codegen unit.
FROM rust:1.95-bookworm AS build
WORKDIR /codepix
COPY . .
RUN cargo build --locked --profile dist --bin codepix

FROM debian:bookworm-slim
RUN groupadd --system codepix && useradd --system --gid codepix codepix
COPY --from=build /codepix/target/dist/codepix /usr/local/bin/codepix
USER codepix
EXPOSE 50051 8080 8081 3003
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=12 \
    CMD ["codepix", "health"]
ENTRYPOINT ["codepix"]
CMD ["serve"]
