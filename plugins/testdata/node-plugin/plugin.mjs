// A source plugin without any SDK: docs/plugin-wire.md in code. It takes {"order","paid"} with an HMAC-SHA256 over
// timestamp and body.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const here = import.meta.dirname;

// Standard output carries the handshake alone; whatever else is printed goes to standard error.
const handshake = process.stdout.write.bind(process.stdout);
console.log = console.error;

if (process.env.KAIPIAO_PLUGIN_COOKIE !== "6f1c2a9e54b84d0fb7a3d2c85e917046") {
  console.error("This is a plugin of Kaipiao and is started by the host.");
  process.exit(1);
}

// The pipe closes when the host is gone, even by kill -9. SIGTERM is the host's business while it lives.
createReadStream("", { fd: Number(process.env.KAIPIAO_PARENT_FD) }).on("close", () => process.exit(0)).resume();
process.on("SIGTERM", () => {});

const { einvoice, grpc: health } = grpc.loadPackageDefinition(
  loader.loadSync(["einvoice/plugin/v1/plugin.proto", "health.proto"], {
    includeDirs: [join(here, "proto")], keepCase: true, longs: String, enums: String, defaults: true,
  }),
);
const v1 = einvoice.plugin.v1;

const schema = {
  type: "object",
  properties: { secret: { type: "string", "x-secret": true } },
  required: ["secret"],
  additionalProperties: false,
};

const reply = { status: 200, headers: [{ name: "Content-Type", value: "application/json" }], body: Buffer.from('{"code":0}') };
const replies = { stored: reply, duplicate: reply };
const utf8 = new TextDecoder("utf-8", { fatal: true });

function parse(instance, request) {
  const header = (name) => request.headers.find((h) => h.name.toLowerCase() === name)?.value ?? "";
  const stamp = header("x-node-timestamp");
  const want = createHmac("sha256", instance.secrets.secret).update(stamp + ".").update(request.body).digest("base64");
  const got = header("x-node-sign");
  if (got.length !== want.length || !timingSafeEqual(Buffer.from(got), Buffer.from(want))) {
    return { verdict: "VERDICT_FORGED", reason: "bad_signature" };
  }
  if (Math.abs(Number(request.received_at.seconds) - Number(stamp)) > 300) {
    return { verdict: "VERDICT_FORGED", reason: "stale_timestamp" };
  }
  let message;
  try {
    message = JSON.parse(utf8.decode(request.body));
  } catch {
    return { verdict: "VERDICT_MALFORMED", authentic: true, reason: "bad_json", replies };
  }
  if (message.ping) return { verdict: "VERDICT_IGNORED", reason: "ping", replies };
  if (typeof message.order !== "string" || !/^-?\d{1,12}(\.\d{1,8})?$/.test(message.paid)) {
    return { verdict: "VERDICT_MALFORMED", authentic: true, reason: "bad_number", replies };
  }
  const sale = {
    order_no: message.order, kind: "SALE_KIND_ORDER", status: "SALE_STATUS_PAID", revision: stamp, currency: "CNY",
    lines: [{ line_no: "1", kind: "LINE_KIND_GOODS", name: message.name, quantity: "1", paid_amount: message.paid }],
    total: message.paid,
  };
  return {
    verdict: "VERDICT_ACCEPTED", request_key: message.order, replies,
    events: [{ id: `sale/${message.order}/${stamp}`, occurred_at: { seconds: stamp }, sale }],
  };
}

const server = new grpc.Server({ "grpc.max_receive_message_length": 16 << 20, "grpc.max_send_message_length": 16 << 20 });
server.addService(health.health.v1.Health.service, { Check: (_, answer) => answer(null, { status: "SERVING" }) });
server.addService(v1.Plugin.service, {
  Describe: (_, answer) => answer(null, {
    name: "node-plugin", version: "1.0.0", capabilities: ["CAPABILITY_PARSE"], config_schema_json: Buffer.from(JSON.stringify(schema)),
  }),
  Validate: ({ request }, answer) => answer(null, {
    problems: request.instance.secrets.secret ? [] : [{ pointer: "/secret", message: "is required" }],
  }),
  Drain: (_, answer) => answer(null, {}),
});
server.addService(v1.Source.service, {
  Parse: ({ request }, answer) => answer(null, {
    results: request.requests.map((r) => {
      try {
        return parse(request.instance, r);
      } catch (error) {
        return { reason: "plugin_error", detail: String(error.name) };
      }
    }),
  }),
});

const socket = join(process.env.PLUGIN_UNIX_SOCKET_DIR, "node");
server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.error(JSON.stringify({ "@level": "info", "@message": "listening", node: process.version }));
  handshake(`1|1|unix|${socket}|grpc\n`);
});
