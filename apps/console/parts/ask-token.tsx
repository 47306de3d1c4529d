import { Button, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { keepToken } from "../api/token.ts";
import { usePlayer, useSession } from "../session.ts";
import classes from "./ask-token.module.css";

/** Shown where the API wants a token and has none, or another one. */
export function AskToken() {
  const session = useSession();
  const trouble = usePlayer("trouble");
  const [token, setToken] = useState("");
  const enter = () => {
    keepToken(token.trim());
    session.api.bringToken(token.trim());
    session.player.recover();
    session.begin();
  };
  return (
    <form
      className={classes.page}
      onSubmit={(event) => {
        event.preventDefault();
        enter();
      }}
    >
      <h1>Drover</h1>
      <p>
        {trouble?.message}. `./drover up` prints a link with the token in it; the token itself is in the file
        `token` of its data directory.
      </p>
      <PasswordInput
        label="Token"
        value={token}
        onChange={({ currentTarget }) => setToken(currentTarget.value)}
        autoFocus
      />
      <Button type="submit" disabled={token.trim() === ""}>
        Enter
      </Button>
    </form>
  );
}
