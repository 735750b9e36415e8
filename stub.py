import http.server, json, os, re, socketserver, subprocess, sys, threading, time, resource
src=open('/work/main/benches/cold_start/account.rs').read()
ev=json.load(open('/work/main/functions/revoke-open-ingress/events/match/ssh-from-anywhere.json'))
G="sg-0a1b2c3d4e5f67890"
state={'revoked':False}; marks={}
done=threading.Event()
def rule(i,port): return f"<item><securityGroupRuleId>{i}</securityGroupRuleId><groupId>{G}</groupId><groupOwnerId>123456789012</groupOwnerId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4><tagSet/></item>"
NPOLLS=int(os.environ.get('EVENTS','1'))
class H(http.server.BaseHTTPRequestHandler):
    protocol_version='HTTP/1.1'; disable_nagle_algorithm=True
    def log_message(self,*a): pass
    def out(self,code,body,ct='text/xml',**h):
        b=body.encode() if isinstance(body,str) else body
        head=f"HTTP/1.1 {code} X\r\ncontent-type: {ct}\r\ncontent-length: {len(b)}\r\n"+''.join(f"{k.replace('_','-')}: {v}\r\n" for k,v in h.items())+"\r\n"
        self.wfile.write(head.encode()+b)
    def do_GET(self):
        marks.setdefault('poll',time.perf_counter())
        n=marks['n']=marks.get('n',0)+1
        if n>NPOLLS:
            done.set(); time.sleep(3600)
        state['revoked']=False
        e=json.loads(json.dumps(ev)); e['id']=e['detail']['eventID']=f"00000000-0000-4000-8000-{n:012x}"
        self.out(200,json.dumps(e),'application/json',Lambda_Runtime_Aws_Request_Id='r%d'%n,Lambda_Runtime_Deadline_Ms=int(time.time()*1000)+60000,Lambda_Runtime_Invoked_Function_Arn='arn:aws:lambda:eu-west-1:1:function:b')
    def do_POST(self):
        body=self.rfile.read(int(self.headers['content-length'])).decode()
        if '/invocation/' in self.path:
            marks.setdefault('end',time.perf_counter()); marks['answer']=body
            return self.out(202,'{}')
        t=self.headers.get('x-amz-target','')
        if 'BatchGet' in t: return self.out(200,'{"Responses":{"countermand":[]},"UnprocessedKeys":{}}','application/x-amz-json-1.0')
        if t: return self.out(200,'{}','application/x-amz-json-1.0')
        a=re.search('Action=(\w+)',body)[1]
        if a=='DescribeSecurityGroups': x=f"<securityGroupInfo><item><groupId>{G}</groupId><groupName>web</groupName><vpcId>vpc-1</vpcId><tagSet/></item></securityGroupInfo>"
        elif a=='DescribeSecurityGroupRules': x="<securityGroupRuleSet>"+('' if state['revoked'] else rule('sgr-001f1e2d3c4b5a697',22))+rule('sgr-0fff',443)+"</securityGroupRuleSet>"
        else: state['revoked']=True; x="<return>true</return>"
        self.out(200,f'<?xml version="1.0"?><{a}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>x</requestId>{x}</{a}Response>')
class S(socketserver.ThreadingMixIn,http.server.HTTPServer): daemon_threads=True
s=S(('127.0.0.1',0),H); port=s.server_address[1]
threading.Thread(target=s.serve_forever,daemon=True).start()
url=f"127.0.0.1:{port}"
env=dict(AWS_ACCESS_KEY_ID='A',AWS_SECRET_ACCESS_KEY='s',AWS_REGION='eu-west-1',AWS_ENDPOINT_URL='http://'+url,AWS_LAMBDA_RUNTIME_API=url,AWS_LAMBDA_FUNCTION_NAME='b',AWS_LAMBDA_FUNCTION_VERSION='1',AWS_LAMBDA_FUNCTION_MEMORY_SIZE='128',COUNTERMAND_TABLE='countermand',COUNTERMAND_POLICIES='/tmp/prof/policies',PATH=os.environ['PATH'])
for kv in os.environ.get('EXTRA','').split():
    k,v=kv.split('=',1); env[k]=v
t0=time.perf_counter()
p=subprocess.Popen(sys.argv[1:],env=env,stdout=subprocess.DEVNULL if not os.environ.get('SHOW') else None)
done.wait(60)
kids=[p.pid]+[int(x) for x in subprocess.run(['pgrep','-P',str(p.pid)],capture_output=True,text=True).stdout.split()]
for k in kids:
    try: 
        st=open(f'/proc/{k}/status').read(); sc=open(f'/proc/{k}/schedstat').read().split()[0]
        print(k,re.search(r'Name:\s*(\S+)',st)[1],*re.findall(r'(?:VmHWM|RssAnon|RssFile|Threads):\s*\d+',st),'cpu_ms',int(sc)/1e6,file=sys.stderr)
    except OSError: pass
print('poll %.1f end %.1f ms'%((marks['poll']-t0)*1e3,(marks['end']-t0)*1e3), marks['answer'][:0], 'contained' in marks['answer'],file=sys.stderr)
import signal
for k in reversed(kids):
    try: os.kill(k,signal.SIGTERM if k==p.pid and len(kids)>1 else signal.SIGKILL)
    except OSError: pass
    if len(kids)>1 and k!=p.pid: time.sleep(.3)
try: p.wait(5)
except Exception: p.kill()
