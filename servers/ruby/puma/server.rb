# frozen_string_literal: true

# The endpoint on Puma in cluster mode. The main process starts the workers, and ends them.

require "fiddle"
require "socket"

# Puma 6 and 7 have other classes for messages and events.
begin
  gem "puma", "~> 5.6"
rescue LoadError
  abort "error: this server needs puma 5.6, as Debian 12 has it"
end
require "puma"
require "puma/configuration"
require "puma/events"
require "puma/launcher"

require_relative "app"
require_relative "flags"

BACKLOG = 4096 # connections; the kernel caps it at net.core.somaxconn, 4,096 by default
SIG_SETMASK = 2 # on Linux
SIGNAL_SET = "\0" * 128 # an empty set

# Prints Puma's messages on standard error, except those about malformed requests.
class Messages < Puma::Events
  def initialize
    super(File.open(File::NULL, "w"), $stderr)
  end

  def parse_error(*); end

  def connection_error(*); end
end

# A parent may have blocked SIGTERM and ignored SIGCHLD. This process inherits both.
def reset_signals
  types = [Fiddle::TYPE_INT, Fiddle::TYPE_VOIDP, Fiddle::TYPE_VOIDP]
  Fiddle::Function.new(Fiddle.dlopen(nil)["pthread_sigmask"], types, Fiddle::TYPE_INT).call(SIG_SETMASK, SIGNAL_SET, nil)
  trap("CHLD", "DEFAULT")
end

# Returns the first of the host's addresses that is available. An error is about the last address.
def find(host, port)
  found = Addrinfo.getaddrinfo(host.delete("[]"), port, nil, :STREAM)
  found.each_with_index do |address, number|
    TCPServer.new(address.ip_address, port).close
    return address.ip_address
  rescue SystemCallError
    raise if number == found.size - 1
  end
rescue SystemCallError, SocketError => e
  warn "error: cannot listen on #{host}:#{port}: #{e.message.split(" - ").first}"
  exit 1
end

def configure(flags, host)
  Puma::Configuration.new do |puma|
    puma.app App
    puma.bind "tcp://#{host}:#{flags["port"]}?backlog=#{BACKLOG}"
    puma.workers flags["workers"]
    puma.silence_single_worker_warning
    puma.preload_app!
    # Puma counts whole seconds.
    puma.first_data_timeout flags["head-timeout"].ceil
    puma.persistent_timeout flags["idle-timeout"].ceil
    puma.force_shutdown_after flags["drain-timeout"].ceil
    puma.worker_shutdown_timeout flags["drain-timeout"].ceil
  end
end

# The first signal stops Puma, the second ends all processes at once.
def end_on_signals(launcher)
  ending = false
  %w[TERM INT].each do |name|
    trap(name) do
      if ending
        workers = File.read("/proc/self/task/#{Process.pid}/children").split
        workers.each { |worker| Process.kill("KILL", worker.to_i) }
        exit! 128 + Signal.list[name]
      end
      ending = true
      launcher.stop
    end
  end
end

flags = Flags.read(ARGV)
if flags["version"]
  puts "server-puma 0.1.0 (puma #{Puma::Const::PUMA_VERSION}, ruby #{RUBY_VERSION})"
  exit
end
reset_signals
_, most = Process.getrlimit(:NOFILE)
Process.setrlimit(:NOFILE, most)
address = find(flags["host"], flags["port"])
host = address.include?(":") ? "[#{address}]" : address
launcher = Puma::Launcher.new(configure(flags, host), events: Messages.new)
launcher.events.on_booted do
  end_on_signals(launcher)
  $stdout.puts "listening on http://#{host}:#{launcher.connected_ports.first}"
  $stdout.flush
end
launcher.run
