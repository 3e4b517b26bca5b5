// Asks once through @azure/openai, whole and streamed, and prints what the client made of the answers as JSON.
// Arguments: package alias, base address, key, picture (data URL), the client's options as JSON.

const [alias, endpoint, key, picture, options] = process.argv.slice(2);
const { OpenAIClient, AzureKeyCredential } = await import(alias);

const client = new OpenAIClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: true });
const messages = [
  { role: "system", content: "You are a helpful assistant." },
  {
    role: "user",
    content: [
      { type: "text", text: "Describe this picture:" },
      { type: "image_url", imageUrl: { url: picture } },
    ],
  },
];
const asked = { maxTokens: 100, azureExtensionOptions: JSON.parse(options) };

const whole = await client.getChatCompletions("gpt-4v", messages, asked);

let text = "";
let streamed = null;
for await (const event of await client.streamChatCompletions("gpt-4v", messages, asked)) {
  for (const choice of event.choices) {
    text += choice.delta?.content ?? "";
    if (choice.enhancements) streamed = choice;
  }
}

console.log(JSON.stringify({ whole: whole.choices[0], usage: whole.usage, text, streamed }));
