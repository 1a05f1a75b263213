// A v1 server as people write it on Node's `ws`: the envelope is serialised once for a message,
// then sent in a loop to everybody who follows the topic. Prints its port, ends with its stdin.

import { randomUUID } from "node:crypto";
import { WebSocketServer } from "ws";

const topics = new Map();
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });

server.on("connection", (socket) => {
  const mine = new Set();
  socket.on("message", (frame) => {
    const message = JSON.parse(frame);
    if (message.type === "subscribe") {
      if (!topics.has(message.topic)) topics.set(message.topic, new Set());
      topics.get(message.topic).add(socket);
      mine.add(message.topic);
      const data = { presenceCount: topics.get(message.topic).size };
      socket.send(JSON.stringify({ type: "subscribed", topic: message.topic, data, timestamp: Date.now() }));
    } else if (message.type === "publish") {
      const text = JSON.stringify({
        type: "message",
        topic: message.topic,
        data: message.data,
        timestamp: Date.now(),
        messageId: randomUUID(),
      });
      for (const subscriber of topics.get(message.topic) ?? []) {
        if (subscriber.readyState === subscriber.OPEN) subscriber.send(text);
      }
    }
  });
  socket.on("close", () => mine.forEach((topic) => topics.get(topic).delete(socket)));
});

server.on("listening", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
