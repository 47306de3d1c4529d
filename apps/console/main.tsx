import "@mantine/core/styles.css";
import "uplot/dist/uPlot.min.css";
import "./styles.css";
import { createTheme, MantineProvider } from "@mantine/core";
import { createRoot } from "react-dom/client";
import { takeToken } from "./api/token.ts";
import { App } from "./app.tsx";
import { Session, SessionContext } from "./session.ts";

const theme = createTheme({
  components: { Tooltip: { defaultProps: { openDelay: 400, withArrow: true } } },
});
const session = new Session(takeToken());
session.begin();

// Mantine's variables for its default theme come with its style sheet: nothing has to be written into the page.
createRoot(document.getElementById("root")!).render(
  <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
    <SessionContext value={session}>
      <App />
    </SessionContext>
  </MantineProvider>,
);
