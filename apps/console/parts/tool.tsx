import { ActionIcon, Tooltip } from "@mantine/core";
import { Icon, type IconName } from "./icon.tsx";
import classes from "./tool.module.css";

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  /** The key that does the same. */
  readonly shortcut?: string;
  readonly isOn?: boolean;
  readonly isDisabled?: boolean;
  readonly onClick: () => void;
}

/** A button that is a picture. */
export function Tool({ icon, label, shortcut, isOn, isDisabled = false, onClick }: ToolProps) {
  return (
    <Tooltip label={shortcut === undefined ? label : `${label} (${shortcut})`}>
      <ActionIcon
        variant={isOn === true ? "filled" : "subtle"}
        color={isOn === true ? "teal" : "gray"}
        className={classes.tool ?? ""}
        aria-label={label}
        {...(isOn === undefined ? {} : { "aria-pressed": isOn })}
        disabled={isDisabled}
        onClick={onClick}
      >
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  );
}
