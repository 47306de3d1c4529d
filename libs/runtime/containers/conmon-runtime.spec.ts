import { ContainerGround } from "./conmon-runtime.fixture.ts";
import { containerRuntimeContract } from "./container-runtime.contract.ts";

containerRuntimeContract("ConmonRuntime", () => ContainerGround.make());
