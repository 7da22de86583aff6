import { render } from "preact";

import { App } from "./app";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/layout.css";
import "./styles/overview.css";
import "./styles/detail.css";

const root = document.getElementById("app");
if (!root) throw new Error("The page has no #app to render into");
render(<App />, root);
