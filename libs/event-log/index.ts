export { type ArrivedMessage, storedMessage } from "./stored-message.ts";
