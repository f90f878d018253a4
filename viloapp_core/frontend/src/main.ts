import "dockview/dist/styles/dockview.css";
import "@xterm/xterm/css/xterm.css";
import "./styles/page.css";

import { takeToken } from "./channel.ts";
import { applyRememberedLocale } from "./i18n.ts";
import { applyRemembered } from "./theme.ts";
import { Workspace } from "./workspace.tsx";

applyRemembered();
await applyRememberedLocale();
new Workspace(takeToken()).start(document.getElementById("root")!);
