/** Each hands the words before the cursor to `drover complete`, whatever way the program was called. */
export const SCRIPTS = {
  bash: `_drover() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _drover drover ./drover
`,
  zsh: `#compdef drover
_drover() {
  local -a found
  found=(\${(f)"$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a found
}
if [[ \${funcstack[1]} == _drover ]]; then
  _drover
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
  compdef _drover drover ./drover
fi
`,
  fish: `function __drover_complete
  set -l line (commandline -opc) (commandline -ct)
  $line[1] complete -- $line[2..-1] 2>/dev/null
end
complete -c drover -f -a '(__drover_complete)'
`,
} as const;

export type Shell = keyof typeof SCRIPTS;
